"""``metrics.csv``: recorded series in long form, for programs that read no NumPy arrays."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any, Final

from kavg.storage.atomic import write_atomically
from kavg.storage.regular_files import open_regular
from kavg.trajectory import Trajectory

COLUMNS: Final = (
    "algorithm", "replica", "round", "step", "gradients", "communications", "seconds",
)  # fmt: skip
"""The first columns; one column for each recorded series follows."""
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


def write_metrics(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """Write one line for each algorithm, recorded round and replica, whole or not at all.

    A series that an algorithm did not record is left empty.  Numbers are written as ``repr`` writes
    them, so reading them gives the same bits.
    """
    with write_atomically(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        text.writelines(_format_rows(trajectories))
        text.detach()  # flushed; the file itself is closed by its writer


def compare_metrics(path: Path, trajectories: Sequence[Trajectory]) -> str | None:
    """Describe the first difference from what ``write_metrics`` writes; None if there is none.

    The description can follow the name of the file.  Line by line, as a table may be larger than
    memory.  Raises ``OSError`` or ``ValueError`` if the file cannot be read, or is none.
    """
    with open_regular(path, inf) as content, io.TextIOWrapper(content, "utf-8", newline="") as file:
        for number, expected in enumerate(_format_rows(trajectories), start=1):
            if file.read(len(expected)) != expected:
                return f"differs from 'trajectory.npz' in line {number}"
        return "has more lines than 'trajectory.npz'" if file.read(1) else None


def _format_rows(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    # A writer quotes the characters of its line end alone: a name may have a carriage return.
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\r\n")
    for row in _table_rows(trajectories):
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        yield f"{line.getvalue()[:-2]}\n"


def _table_rows(trajectories: Sequence[Trajectory]) -> Iterator[Sequence[Any]]:
    quantities = list(dict.fromkeys(name for run in trajectories for name in run.series))
    yield (*COLUMNS, *map(protect_cell, quantities))
    for run in trajectories:
        yield from _run_rows(run, quantities)


def _run_rows(run: Trajectory, quantities: Sequence[str]) -> Iterator[Sequence[Any]]:
    name = protect_cell(run.name)
    axes = (run.rounds, run.steps, run.gradients, run.communications, run.seconds.round(6))
    for i, at in enumerate(zip(*(axis.tolist() for axis in axes), strict=True)):
        values = [run.series[q][i].tolist() if q in run.series else None for q in quantities]
        for r in range(run.replicas):
            measured = ["" if value is None else value[r] for value in values]
            yield [name, r, *at, *measured]
