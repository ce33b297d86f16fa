"""Standard streams that never end a run, text for the user, and figures, on rank 0."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO, final

from kavg.cli.environment import installed_version
from kavg.text import escape_lines, escape_unprintable


@final
class StandardStream(io.FileIO):
    """Standard output or error as bytes; an error of the system is recorded and not raised.

    A disk is full, a reader closes its pipe, a terminal is gone: what is printed is lost, and the
    run goes on.  ``failure`` is the first such error.
    """

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:  # Python has no name of a buffer before 3.12
        """Write bytes; return their number, as if all were written, if they cannot be."""
        try:
            written = super().write(data)
            while written is None:  # a pipe that is full, of a descriptor that does not block
                select.select([], [self], [])
                written = super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            return memoryview(data).nbytes
        return written


def protect_streams() -> None:
    """Make standard output and error accept any text for the rest of the process.

    A stream that was closed when kavg started becomes the null device.  Characters that a terminal
    cannot encode are escaped.
    """
    _open_closed_descriptors()
    sys.stdout, sys.stderr = _protect(sys.stdout, 1), _protect(sys.stderr, 2)


def _open_closed_descriptors() -> None:
    # The next file or socket to be opened would become standard output, and get what is printed.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _protect(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        return io.TextIOWrapper(_open_bytes(descriptor), "utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors="backslashreplace")
    if _find_descriptor(stream) != descriptor:
        return stream  # a program that calls kavg reads what is printed
    is_flushed = stream.line_buffering or stream.write_through  # python -u asks for the second
    output = _open_bytes(descriptor)
    return io.TextIOWrapper(output, stream.encoding, "backslashreplace", line_buffering=is_flushed)


def _open_bytes(descriptor: int) -> io.BufferedWriter:
    return io.BufferedWriter(StandardStream(descriptor, "w", closefd=False))


def _find_descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # a text in memory
        return None


def find_lost_output() -> OSError | None:
    """Flush standard output and return the error because of which some of it was lost.

    None if all was written, or if nobody was left to read it (``kavg schema | head -1``).
    """
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, StandardStream) else None
    if isinstance(failure, ConnectionError) or _is_lost_terminal(failure):
        return None
    return failure


def _is_lost_terminal(failure: OSError | None) -> bool:
    return (
        failure is not None
        and failure.errno == errno.EIO
        and stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
    )


def print_text(text: str) -> None:
    """Print a text and flush it: in a pipe or a log, stdout is buffered to the end of the job.

    Control characters are escaped, whatever named them.
    """
    sys.stdout.write(escape_lines(text) + "\n")
    sys.stdout.flush()


def print_messages(messages: Iterable[str]) -> None:
    """Print messages on stderr, one a line, with the name of the program in front."""
    for message in messages:
        sys.stderr.write(f"kavg: {escape_unprintable(message)}\n")
    sys.stderr.flush()


def draw_if_possible(draw: Callable[[], object]) -> None:
    """Draw a figure if matplotlib is installed.

    Any error is printed on stderr and does not end the command: a figure can be drawn again
    (``kavg plot``), while a run may cost hours.
    """
    if not installed_version("matplotlib"):
        return
    try:
        draw()
    except Exception as error:
        print_messages([f"no figure: {error}"])
