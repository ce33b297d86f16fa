"""Files and folders that appear whole or not at all, whatever interrupts their writing."""

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
"""Letters of a folder's name that its temporary names show."""


def real(path: Path) -> Path:
    """The path without links, but for one that leads to itself, of which pathlib's own dies."""
    return Path(os.path.realpath(path))


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path``, flushed to disk and renamed to it when all went well."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with written(path) as partial:
        partial.write_bytes(content)


@contextmanager
def staged(folder: Path, ours: Container[str]) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when all went well.

    An older folder of that name is moved out of the way first and removed last; whatever
    interrupts this, either the old or the new one is whole and in its place.  What lies in the old
    one under other names than ``ours`` moves to the new one.
    """
    folder = real(folder)  # a link could not be replaced by a folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Not the process number: in containers and on shared disks it comes again.
    mark = f".{folder.name[:SHOWN]}.{secrets.token_hex(4)}"
    stage, old = folder.with_name(f"{mark}.partial"), folder.with_name(f"{mark}.old")
    try:
        stage.mkdir()
        yield stage
        flush(stage)
        if folder.exists():
            folder.replace(old)
        stage.replace(folder)
        flush(folder.parent)
    finally:
        if old.exists() and not folder.exists():
            old.replace(folder)
        shutil.rmtree(stage, ignore_errors=True)
        if old.exists():
            rescue(old, folder, ours)
            shutil.rmtree(old, ignore_errors=True)


def put_back(folder: Path) -> None:
    """Give a folder its name again, if the machine stopped between the two renames of ``staged``.

    Nothing is done where that is not sure: the name may have been cut short, or two such are there.
    """
    with suppress(OSError):  # who reads the folder, or writes it, says what is wrong
        folder = real(folder)
        old = [*folder.parent.glob(f".{glob.escape(folder.name)}.{'[0-9a-f]' * 8}.old")]
        if not folder.exists() and len(folder.name) < SHOWN and len(old) == 1:
            old[0].replace(folder)


def rescue(old: Path, folder: Path, ours: Container[str]) -> None:
    """Move to ``folder`` what is not ours."""
    for path in old.iterdir():
        if path.name not in ours and not (folder / path.name).exists():
            path.replace(folder / path.name)


def flush(folder: Path) -> None:
    """Bring the names in a folder to disk; not every file system can, and then it is no fault."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
