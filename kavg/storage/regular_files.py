"""Reading of regular files: never a pipe or a device, and never more than is expected."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final

from kavg.errors import KavgError
from kavg.storage.limits import format_bytes, memory_limit

FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextmanager
def open_regular(path: str | Path, most_bytes: float | None = None) -> Iterator[BufferedReader]:
    """Open a regular file for reading.

    ``most_bytes`` is its largest size, by default the memory of this process.  Raises ``KavgError``
    if it is anything else or larger, in words that can follow its name, and ``OSError``.
    """
    # Before it is opened too, as opening a device may act on it.
    require_regular(os.stat(path))
    descriptor = os.open(path, FLAGS)
    try:
        status = os.fstat(descriptor)
        require_regular(status)
        most = memory_limit() if most_bytes is None else most_bytes
        if status.st_size > most:
            size, allowed = format_bytes(status.st_size), format_bytes(most)
            raise KavgError(f"it has {size}, and {allowed} are allowed")
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        yield file


def read_regular(path: str | Path, most_bytes: float | None = None) -> bytes:
    """Read a regular file.  Raises as ``open_regular`` does."""
    with open_regular(path, most_bytes) as file:
        return file.read()


def require_regular(status: os.stat_result) -> None:
    """Raise KavgError unless a status is that of a regular file."""
    if not stat.S_ISREG(status.st_mode):
        raise KavgError("it is not a file")


def require_file(path: Path) -> Path:
    """Return a path, for a reader that would wait for a pipe; it need not exist.

    Raises ``KavgError`` if it is a pipe or a device.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise KavgError(f"{str(path)!r} cannot be read: it is not a file")
    return path
