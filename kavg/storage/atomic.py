"""Atomic writes: a file or folder appears whole or not at all.

Temporary names are random and opened exclusively, so neither a file nor a link that is already
there is followed.  Those of a folder begin with ``temporary_stem``; only the process that holds the
folder's lock (``kavg.storage.locks``) makes them, so the next holder knows that any it finds were
left by a process that has ended (``kavg.storage.recovery``).
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

SHOWN: Final = 40
"""Characters of a name that its temporary names show, as these must not become too long."""
MOST_PARTS: Final = 200
"""Parts of a path in which folders are created at most."""


def resolve_links(path: Path) -> Path:
    """Return the path without symbolic links.

    Unlike ``Path.resolve`` it accepts a link that leads to itself, and leaves that as it is.
    """
    return Path(os.path.realpath(path))


def temporary_stem(name: str) -> str:
    """Return what the temporary names of a folder begin with, which differs for any two folders.

    >>> temporary_stem("digits"), temporary_stem("x" * 60)
    ('.digits', '.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.42f2d973')
    """
    if len(name) <= SHOWN:
        return f".{name}"
    return f".{name[:SHOWN]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def open_exclusively(path: Path) -> BinaryIO:
    """Create a file and open it for writing.

    Raises ``FileExistsError`` if anything has the name, also a link that leads nowhere.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "wb")


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file beside ``path``; rename it to ``path`` if the block succeeds.

    The file is flushed to disk before it is renamed, and its folder after.  If the block raises,
    the temporary file is removed and an older ``path`` is untouched.  A link of that name is
    replaced, not followed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with write_atomically(Path(folder, "a.txt")) as file:
    ...         _ = file.write(b"whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    partial = path.with_name(f".{path.name[:SHOWN]}.{secrets.token_hex(4)}.partial")
    file = open_exclusively(partial)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with write_atomically(path) as file:
        file.write(content)


def make_folders(folder: Path) -> list[Path]:
    """Create a folder and those above it; return the ones that were created, the deepest last.

    Raises ``OSError`` if one cannot be created, and then leaves none; also if the path has more
    than ``MOST_PARTS`` parts, which other programs could not remove again.
    """
    if len(folder.parts) > MOST_PARTS:
        raise OSError(errno.ENAMETOOLONG, f"the path has more than {MOST_PARTS} parts")
    with suppress(FileNotFoundError):
        os.lstat(folder)  # raises for a name that is too long
    made: list[Path] = []
    try:
        for place in reversed((folder, *folder.parents)):
            if not os.path.isdir(place):
                with suppress(FileExistsError):  # another process may create it at the same time
                    place.mkdir()
                    made.append(place)
    except BaseException:
        remove_empty(made)
        raise
    return made


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders that ``make_folders`` created, unless there is something in them."""
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, or a file; links are removed and not followed.

    What cannot be removed is left; the next command tries again.
    """
    with suppress(OSError, RecursionError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def sync_tree(folder: Path) -> None:
    """Flush all files in a folder to disk, and the names of all folders in it.

    Raises ``OSError`` if a file cannot be flushed.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(os.path.join(place, name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, if the file system supports it."""
    with suppress(OSError):  # not every file system can, and a rename is atomic without it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
