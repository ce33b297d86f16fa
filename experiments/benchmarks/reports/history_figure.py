"""Figure of the history: kavg's time over its peers' by commit, a panel a workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from experiments.benchmarks.history import Line
from kavg.errors import KavgError
from kavg.reports.figures.layout import new_figure, style_axes
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PEERS: Final = (
    "JAX, float32 normals",
    "PyTorch, float32 normals",
    "JAX",
    "PyTorch",
    "JAX, a call a round",
)
SERIES: Final = "scaling in "
"""Beginning of the names of workloads in several sizes, which are not drawn."""


def history_figure(lines: Sequence[Line]) -> Figure:
    """One panel a workload that a peer took part in; commits from left to right as they came.

    A line of each peer, instruction set, clock and machine, and the legend names the last three
    where there are several.

    Raises:
        KavgError: if there is nothing to draw.
    """
    drawn = [
        line for line in lines if line.contestant in PEERS and not line.workload.startswith(SERIES)
    ]
    if not drawn:
        raise KavgError("there is nothing to draw; python -m experiments.benchmarks --history")
    workloads = list(dict.fromkeys(line.workload for line in drawn))
    commits = list(dict.fromkeys(line.commit for line in drawn))
    labels = _labels(drawn)
    styles = {label: line_style(place) for place, label in enumerate(dict.fromkeys(labels))}
    # Two in a row, as the sizes of a workload take a line of their own.
    figure, panels = new_figure(len(workloads), across=2)
    for panel, workload in zip(panels, workloads, strict=True):
        for label, style in styles.items():
            points = [
                (commits.index(line.commit), line.ratio)
                for line, its in zip(drawn, labels, strict=True)
                if its == label and line.workload == workload
            ]
            if points:
                panel.plot(*zip(*sorted(points), strict=True), **style)
        _finish(panel, workload, commits)
    add_legend(figure, list(styles.items()))
    return figure


def _labels(lines: Sequence[Line]) -> list[str]:
    """The contestant, and what of instruction set, clock and machine is not the same for all."""
    others = [(str(line.isa), line.clock, line.machine) for line in lines]
    telling = [len(set(column)) > 1 for column in zip(*others, strict=True)]
    return [
        "; ".join(
            [line.contestant, *(text for text, tells in zip(its, telling, strict=True) if tells)]
        )
        for line, its in zip(lines, others, strict=True)
    ]


def _finish(panel: Axes, workload: str, commits: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator, NullFormatter

    panel.axhline(1.0, color="0.4", linewidth=0.9)
    panel.set_yscale("log")
    # Ratios span less than a decade, where a logarithmic locator finds one tick or none.
    panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_xlim(-0.5, len(commits) - 0.5)
    shown = [f"{commit[:7]}{commit[12:]}" for commit in commits]
    panel.set_xticks(range(len(commits)), shown, rotation=40, ha="right")
    style_axes(panel, "", "kavg / it", workload.replace(": ", "\n", 1))
