"""Lines of a table of text: cells of names and numbers, and the comparison with a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from math import inf, isnan
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from kavg.base import Floats
from kavg.storage.atomic import write_atomically
from kavg.storage.regular_files import open_regular

FORMULA: Final = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20']")
"""The beginnings of cells that spreadsheets evaluate, in wide letters too, and the apostrophe."""


def protect_cell(name: str) -> str:
    """Return a name as a cell that a spreadsheet shows as text and never evaluates.

    A name that begins as a formula does gets an apostrophe in front, and so does one that begins
    with an apostrophe: ``cell.removeprefix("'")`` is the name again.

    >>> protect_cell("=HYPERLINK()"), protect_cell("M-AVG")
    ("'=HYPERLINK()", 'M-AVG')
    """
    return f"'{name}" if FORMULA.match(name) else name


def format_cells(names: Iterable[str]) -> str:
    """Return texts as cells of a line, protected and in quotes where they need them.

    >>> print(format_cells(["F", "=1", 'a"b']))
    F,'=1,"a""b"
    """
    # A writer quotes the characters of its line end alone: a name may have a carriage return.
    line = io.StringIO(newline="")
    # The last cell keeps a line of one empty name from being quoted.
    csv.writer(line, lineterminator="\r\n").writerow([*map(protect_cell, names), 0])
    return line.getvalue()[:-4]


def format_rows(
    facts: str, axes: Sequence[NDArray[Any]], series: Sequence[Floats | None], replicas: int
) -> Iterator[str]:
    """Yield the lines of a run: its facts, the replica, the axes ``(T,)``, the series ``(T, R)``.

    Numbers are written as ``repr`` writes them, so reading them gives the same bits.  A series that
    is None is left empty, and so are axes where they are NaN.
    """
    # Lines are put together from texts made once a run or a round: csv.writer takes 2.7 times as
    # long for each whole line.
    starts = [f"{facts},{r}," for r in range(replicas)]
    for i, place in enumerate(zip(*(axis.tolist() for axis in axes), strict=True)):
        at = ",".join("" if isnan(each) else repr(each) for each in place)
        values = [[""] * replicas if x is None else map(repr, x[i].tolist()) for x in series]
        for start, *row in zip(starts, *values, strict=True):
            yield f"{','.join((start + at, *row))}\n"


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines in UTF-8, whole or not at all; the table may be larger than memory."""
    with write_atomically(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        text.writelines(lines)
        text.detach()  # flushed; the file itself is closed by its writer


def find_difference(path: Path, lines: Iterable[str]) -> str | None:
    """Describe the first difference of a file from lines; None if there is none.

    The description can follow the name of the file.  Raises ``OSError`` or ``ValueError`` if the
    file cannot be read, or is none.
    """
    with open_regular(path, inf) as content, io.TextIOWrapper(content, "utf-8", newline="") as file:
        for number, expected in enumerate(lines, start=1):
            if file.read(len(expected)) != expected:
                return f"differs from 'trajectory.npz' in line {number}"
        return "has more lines than 'trajectory.npz'" if file.read(1) else None


def read_first_line(path: Path, most: int) -> str:
    """Return the first line of a file, or as many characters of it.  Raises as above."""
    with open_regular(path, inf) as content, io.TextIOWrapper(content, "utf-8", newline="") as file:
        return file.readline(most)
