"""Atomic writes: a file or folder appears whole or not at all."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SHOWN: Final = 40
"""Characters of a folder's name in its temporary names, which must not become too long."""


def resolve_links(path: Path) -> Path:
    """Return the path without symbolic links.

    Unlike ``Path.resolve`` it accepts a link that leads to itself, and leaves that as it is.
    """
    return Path(os.path.realpath(path))


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` if the block succeeds.

    The file is flushed to disk before it is renamed, and its folder after.  If the block raises,
    the temporary file is removed and an older ``path`` is untouched.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_atomically(Path(folder, "a.txt")) as partial:
    ...         _ = partial.write_text("whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with write_atomically(path) as partial:
        partial.write_bytes(content)


@contextmanager
def replace_folder(folder: Path, ours: Container[str]) -> Iterator[Path]:
    """Yield a temporary folder; it replaces ``folder`` if the block succeeds.

    An older folder of that name is moved aside only then, and removed last.  After an interruption
    at any point, the old or the new folder is whole and in its place, or ``restore_folder`` puts
    the old one there.  Files of the old folder whose names are not in ``ours`` move to the new one.
    """
    folder = resolve_links(folder)  # a folder cannot be renamed to an existing link
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Not the process number: in containers and on shared disks another process has the same.
    mark = f".{folder.name[:SHOWN]}.{secrets.token_hex(4)}"
    stage, old = folder.with_name(f"{mark}.partial"), folder.with_name(f"{mark}.old")
    try:
        stage.mkdir()
        yield stage
        sync_folder(stage)
        if folder.exists():
            folder.replace(old)
        stage.replace(folder)
        sync_folder(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            old.replace(folder)
        shutil.rmtree(stage, ignore_errors=True)
        if old.exists():
            _move_other_files(old, folder, ours)
            shutil.rmtree(old, ignore_errors=True)


def restore_folder(folder: Path) -> None:
    """Rename an old folder back, if the machine stopped between the renames of ``replace_folder``.

    Does nothing if it is uncertain which folder was meant: if the name may have been truncated to
    ``SHOWN`` characters, or if there are two such folders.
    """
    with suppress(OSError):  # the code that reads or writes the folder next reports what is wrong
        folder = resolve_links(folder)
        old = [*folder.parent.glob(f".{glob.escape(folder.name)}.{'[0-9a-f]' * 8}.old")]
        if not folder.exists() and len(folder.name) < SHOWN and len(old) == 1:
            old[0].replace(folder)


def _move_other_files(old: Path, folder: Path, ours: Container[str]) -> None:
    for path in old.iterdir():
        if path.name not in ours and not (folder / path.name).exists():
            path.replace(folder / path.name)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, if the file system supports it."""
    with suppress(OSError):  # not every file system can, and a rename is atomic without it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
