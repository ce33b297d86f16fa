"""Reader of settings from standard input, a pipe or a device, which give their content once."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kavg.config.toml import MAX_BYTES
from kavg.errors import KavgError

STDIN: Final = Path("/dev/stdin")
PIECE: Final = 2**16
"""Bytes that are read at once, as many as a pipe holds."""
NOTICE: Final = 2.0
"""Seconds without a byte after which the user is told what kavg waits for."""
PATIENCE: Final = 300.0
"""Seconds without a byte after which it gives up."""
LAUNCHED_PATIENCE: Final = 30.0
"""The same under a launcher: that of Open MPI passes standard input on, but not its end."""


def is_stream(path: Path) -> bool:
    """True if a path is a pipe or a device, or another file in each process (``/dev/stdin``).

    >>> is_stream(STDIN), is_stream(Path("quickstart.toml"))
    (True, False)
    """
    if path.parts[:2] in (("/", "dev"), ("/", "proc")):
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def read_stream(path: Path, announce: Callable[[str], object], patience: float = PATIENCE) -> bytes:
    """Read all that a stream gives, hardly more bytes than a settings file may have.

    ``announce`` is called with a line for the user where nothing comes for some time.  Raises
    ``KavgError`` if the stream cannot be read, gives nothing, or does not end: if nothing more
    comes for ``patience`` seconds.
    """

    def wait(descriptor: int, size: int) -> None:
        if _is_ready(descriptor, NOTICE):
            return
        announce(f"waiting for the {'end' if size else 'beginning'} of the settings {str(path)!r}")
        if not _is_ready(descriptor, patience):
            raise KavgError(
                f"cannot read the settings {str(path)!r}: {size} bytes came, and then for "
                f"{patience:g} s neither more nor their end; give a file"
            )

    try:
        # Opened without O_NONBLOCK, a pipe without a writer would wait for ever.
        descriptor = os.dup(0) if path == STDIN else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb", buffering=0):
            content = b"".join(_read_pieces(descriptor, wait))
    except OSError as error:
        raise KavgError(f"cannot read the settings {str(path)!r}: {error.strerror}") from None
    if not content:
        raise KavgError(f"cannot read the settings {str(path)!r}: nothing came; give a file")
    return content


def _read_pieces(descriptor: int, wait: Callable[[int, int], None]) -> Iterator[bytes]:
    size = 0
    while size <= MAX_BYTES:
        wait(descriptor, size)
        piece = os.read(descriptor, PIECE)
        if not piece:
            return
        size += len(piece)
        yield piece


def _is_ready(descriptor: int, seconds: float) -> bool:
    """True if a byte, or the end, comes within this time."""
    return bool(select.select([descriptor], [], [], seconds)[0])
