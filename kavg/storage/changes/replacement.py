"""Replacement of a folder: the old or the new one is whole and in its place at any moment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from kavg.storage.atomic import (
    make_folders,
    remove_tree,
    resolve_links,
    sync_folder,
    sync_tree,
    temporary_stem,
)
from kavg.storage.changes.exchange import exchange_paths


@contextmanager
def replace_folder(folder: Path, ours: Container[str]) -> Iterator[Path]:
    """Yield a temporary folder; it replaces ``folder`` if the block succeeds.

    Where the system can exchange two names (``exchange_paths``), ``folder`` is there at any moment;
    elsewhere an older one is moved aside first.  After an interruption at any point the old
    or the new folder is whole and in its place, or ``recover_folder`` puts the old one there.
    Files of the old folder whose names are not in ``ours`` move to the new one.  The caller holds
    the lock of the folder.
    """
    folder = resolve_links(folder)  # a folder cannot be renamed to an existing link
    make_folders(folder.parent)
    mark = f"{temporary_stem(folder.name)}.{secrets.token_hex(4)}"
    stage, old = folder.with_name(f"{mark}.partial"), folder.with_name(f"{mark}.old")
    try:
        stage.mkdir()
        yield stage
        sync_tree(stage)
        _put_in_place(stage, folder, old)
        sync_folder(folder.parent)
    finally:
        settle_replacement(folder, old, ours)
        remove_tree(stage)


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


def settle_replacement(folder: Path, old: Path, ours: Container[str]) -> None:
    """Complete or undo a replacement by ``replace_folder`` that ended at any point.

    ``old`` is the folder that it moved aside, and may be missing.  It is put back if there is no
    ``folder``; otherwise its files that are not in ``ours`` move to ``folder``, and it is removed.
    """
    if not os.path.lexists(old):
        return
    if not os.path.lexists(folder):
        old.replace(folder)
        return
    for path in sorted(old.iterdir()):
        if path.name not in ours and not os.path.lexists(folder / path.name):
            path.replace(folder / path.name)
    sync_folder(folder)
    remove_tree(old)
