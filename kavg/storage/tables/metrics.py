"""``metrics.csv``: recorded series in long form, for programs that read no NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from kavg.storage.tables.lines import (
    find_difference,
    format_cells,
    format_rows,
    read_first_line,
    write_lines,
)
from kavg.storage.tables.result_table import ResultTable
from kavg.trajectory import Trajectory

FIRST: Final = (
    "algorithm", "replica", "round", "step", "gradients", "communications", "seconds",
)  # fmt: skip
"""The first columns of tables that kavg wrote without the settings of the algorithms."""


def write_metrics(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """Write one line for each algorithm, recorded round and replica, whole or not at all.

    What an algorithm does not have is left empty: a momentum, a series.  Numbers are written as
    ``repr`` writes them, so reading them gives the same bits.
    """
    write_lines(path, ResultTable(trajectories).format_lines())


def compare_metrics(path: Path, trajectories: Sequence[Trajectory]) -> str | None:
    """Describe the first difference from what ``write_metrics`` writes; None if there is none.

    A table without the settings of the algorithms, which kavg wrote until version 0.4, is compared
    with what was written then.  The description can follow the name of the file.  Line by line, as
    a table may be larger than memory.  Raises ``OSError`` or ``ValueError`` if the file cannot be
    read, or is none.
    """
    # A generator: of the older form only the header is needed, unless the file is of it.
    old = _format_without_settings(trajectories)
    header = next(old)
    if read_first_line(path, len(header) + 1) == header:
        return find_difference(path, chain([header], old))
    return find_difference(path, ResultTable(trajectories).format_lines())


def _format_without_settings(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    quantities = list(dict.fromkeys(name for run in trajectories for name in run.series))
    yield f"{format_cells((*FIRST, *quantities))}\n"
    for run in trajectories:
        axes = (run.rounds, run.steps, run.gradients, run.communications, run.seconds.round(6))
        series = [run.series.get(name) for name in quantities]
        yield from format_rows(format_cells([run.name]), axes, series, run.replicas)
