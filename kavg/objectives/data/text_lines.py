"""The lines of a text file of data, which may be compressed, with limits on what is read."""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast, final

from kavg.errors import KavgError
from kavg.storage.limits import format_bytes, memory_limit

LONGEST_LINE: Final = 2**22
"""Characters of the longest line of a table that is read: some 200 000 features."""
SMALL: Final = 2**30
"""Characters to which a compressed file of any size may unpack."""
RATIO: Final = 100
"""Beyond ``SMALL``, the characters that may be unpacked for each byte of the file."""
GZIP: Final = b"\x1f\x8b"
OTHER_FORMATS: Final = {
    b"PK\x03\x04": "a zip archive or a workbook of a spreadsheet program",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "a file packed by bzip2",
    b"\xfd7zXZ": "a file packed by xz",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd",
    b"\xd0\xcf\x11\xe0": "a workbook of a spreadsheet program",
    b"SQLite": "a database",
    b"MATLAB": "a MATLAB file",
    b"\x80\x04": "a pickle, which kavg does not read as it could run code",
    b"\x80\x05": "a pickle, which kavg does not read as it could run code",
}
"""First bytes of files that are no text, with what they are."""


def check_regular_file(path: Path) -> int:
    """Return the size of a file in bytes; raise KavgError if it is no regular file.

    A pipe or a device could be waited for without end.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # a name with a null byte
        raise KavgError("no such file") from None
    if not stat.S_ISREG(found.st_mode):
        raise KavgError("it is no regular file")
    return found.st_size


@final
class NumberedLines:
    """The lines of a table that are neither blank nor comments, with their numbers in the file.

    ``number`` is that of the line read last, from 1; ``comments`` counts the lines that begin
    with ``#``.
    """

    def __init__(self, file: io.TextIOBase, limit: float) -> None:
        self.number = self.comments = 0
        self._file, self._left, self._limit = file, limit, limit

    def __iter__(self) -> Iterator[str]:
        while line := self._read_line():
            if line.startswith("#"):
                self.comments += 1
            elif not line.isspace():
                yield line

    def _read_line(self) -> str:
        # The limit stops a file without line ends from being read into memory whole.
        line = self._file.readline(LONGEST_LINE + 1)
        self.number += 1
        if len(line) > LONGEST_LINE:
            raise KavgError(f"line {self.number} has more than {LONGEST_LINE} characters")
        self._left -= len(line)
        if self._left < 0:
            raise KavgError(
                f"it has more than {format_bytes(self._limit)} of text, which is allowed; "
                "give it as an .npz file, or a part of it"
            )
        return line


@contextmanager
def open_lines(path: Path) -> Iterator[NumberedLines]:
    """Open a text file, compressed by gzip or not, in UTF-8 or in UTF-16 with its mark.

    Raises KavgError if it is of another kind, or if its numbers would not fit in memory.
    """
    size = check_regular_file(path)
    with path.open("rb") as raw:
        limit = _check_size(size)
        packed = raw.peek(2)[:2] == GZIP
        content = cast(BinaryIO, gzip.GzipFile(fileobj=raw) if packed else raw)
        first = _first_bytes(content)
        with io.TextIOWrapper(content, encoding=_encoding(first)) as file:
            most = min(limit, max(SMALL, RATIO * size)) if packed else limit
            yield NumberedLines(file, most)


def _first_bytes(content: BinaryIO) -> bytes:
    first = content.read(8)
    content.seek(0)
    kind = next((what for mark, what in OTHER_FORMATS.items() if first.startswith(mark)), None)
    if kind is not None:
        raise KavgError(f"it is {kind}; save it as a .csv file")
    return first


def _encoding(first: bytes) -> str:
    return "utf-16" if first[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _check_size(size: int) -> float:
    # The densest text, a digit and a comma, becomes eight bytes: four times its size.
    most = memory_limit()
    if 4.0 * size > most:
        raise KavgError(
            f"its numbers may take {format_bytes(4.0 * size)}, and there are {format_bytes(most)}; "
            "give it as an .npz file, or a part of it"
        )
    return most / 4
