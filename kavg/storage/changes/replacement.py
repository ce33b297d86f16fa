"""Replacement of a folder: the old or the new one is whole and in its place at any moment.

A name proves nothing: ``.run.20240131.old`` may be a copy by the user.  So the new folder holds a
file ``.kavg.stage`` with the token of its temporary name, from its creation until the old one is
gone, and nothing is moved or deleted that such a file does not prove to be of kavg.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kavg.storage.atomic import (
    make_folders,
    open_exclusively,
    remove_tree,
    resolve_links,
    sync_folder,
    sync_tree,
    temporary_stem,
)
from kavg.storage.changes.exchange import exchange_paths
from kavg.storage.regular_files import read_regular

STAGE: Final = ".kavg.stage"
"""The file that proves that kavg made a folder."""


@contextmanager
def replace_folder(folder: Path, is_own: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield a temporary folder; it replaces ``folder`` if the block succeeds.

    Where the system can exchange two names (``exchange_paths``), ``folder`` is there at any moment;
    elsewhere an older one is moved aside first.  After an interruption at any point the old
    or the new folder is whole and in its place, or ``recover_folder`` puts the old one there.
    Files of the old folder of which ``is_own(path)`` is false move to the new one.  The caller
    holds the lock of the folder.
    """
    folder = resolve_links(folder)  # a folder cannot be renamed to an existing link
    make_folders(folder.parent)
    token = secrets.token_hex(4)
    mark = f"{temporary_stem(folder.name)}.{token}"
    stage, old = folder.with_name(f"{mark}.partial"), folder.with_name(f"{mark}.old")
    try:
        make_stage(stage, token)
        yield stage
        sync_tree(stage)
        _put_in_place(stage, folder, old)
        sync_folder(folder.parent)
    finally:
        settle_replacement(folder, old, is_own)
        remove_stage(stage)
        remove_mark(folder)


def _put_in_place(stage: Path, folder: Path, old: Path) -> None:
    if not os.path.lexists(folder):
        stage.replace(folder)
        return
    # Under the name of an old folder first, as that is what it is after the exchange: a draft
    # would be deleted by the next command, and the user's own files with it.
    stage.replace(old)
    if exchange_paths(old, folder):
        return
    old.replace(stage)
    folder.replace(old)
    stage.replace(folder)


def settle_replacement(folder: Path, old: Path, is_own: Callable[[Path], bool]) -> str:
    """Complete or undo a replacement by ``replace_folder`` that ended at any point.

    ``old`` is the folder that it moved aside, and may be missing.  It is put back if there is no
    ``folder``; otherwise files of which ``is_own(path)`` is false move to ``folder``, and it is
    removed.  Returns what was done, empty if nothing: without the proof ``old`` is left alone.
    """
    token = old.name.split(".")[-2]
    if not is_real_folder(old):
        return ""
    if read_mark(old) == token and os.path.lexists(folder):  # the new one, before the exchange
        remove_stage(old)
        return f"removed {old.name!r}, which was not in its place yet"
    if read_mark(folder) == token:
        # All of them first, as what is own may depend on the others.
        for path in [path for path in sorted(old.iterdir()) if not is_own(path)]:
            if not os.path.lexists(folder / path.name):
                path.replace(folder / path.name)
        sync_folder(folder)
        remove_tree(old)
        sync_folder(folder.parent)
        return f"removed {old.name!r}, which the run in its place had replaced"
    marked = (old, old.with_name(old.name.removesuffix("old") + "partial"))
    if not os.path.lexists(folder) and token in map(read_mark, marked):
        old.replace(folder)
        return f"put back {old.name!r}"
    return ""


def is_real_folder(path: Path) -> bool:
    """True for a folder that is there, False for anything else, also for a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def make_stage(folder: Path, token: str) -> None:
    """Create a temporary folder with the proof that kavg made it."""
    folder.mkdir()
    with open_exclusively(folder / STAGE) as file:
        file.write(token.encode())


def read_mark(folder: Path) -> str:
    """Return the token of the temporary name that a folder has or had; empty if it holds none."""
    try:
        return read_regular(folder / STAGE, 100).decode() if is_real_folder(folder) else ""
    except (OSError, ValueError):
        return ""


def remove_mark(folder: Path) -> None:
    """Remove the proof from a folder in its place, unless the one that it replaced is left."""
    token = read_mark(folder)
    old = folder.with_name(f"{temporary_stem(folder.name)}.{token}.old")
    if token and not os.path.lexists(old):
        with suppress(OSError):
            (folder / STAGE).unlink()


def remove_stage(folder: Path) -> None:
    """Remove a temporary folder, the proof last."""
    with suppress(OSError):
        for path in folder.iterdir() if is_real_folder(folder) else ():
            if path.name != STAGE:
                remove_tree(path)
    remove_tree(folder)


def is_stage(folder: Path, inner: str) -> bool:
    """True for a temporary folder that kavg made, or that holds nothing.

    A process may have been killed before its proof was complete; an empty folder ``inner`` may be
    in it then.
    """
    token = folder.name.split(".")[-2]
    if not is_real_folder(folder):
        return False
    if read_mark(folder) == token:
        return True
    with suppress(OSError):
        return all(
            (path.name == STAGE and token.startswith(read_mark(folder) or token))
            or (path.name == inner and is_real_folder(path) and not os.listdir(path))
            for path in folder.iterdir()
        )
    return False
