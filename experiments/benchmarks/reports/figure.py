"""Figure of a benchmark run: all ratios, the series, and the cost of normals."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.benchmarks.ratios import Measured
from kavg.errors import KavgError
from kavg.reports.figures.layout import new_figure, style_axes
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import COLOURS, draw_band, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN: Final = (
    "kavg",
    "JAX, float32 normals",
    "PyTorch, float32 normals",
    "JAX",
    "PyTorch",
    "NumPy loop",
    "floor",
    "PyTorch, gloo",
    "kavg, plain sum",
    "gloo",
    "MPI, d numbers",
    "MPI, 2 d numbers",
)
"""Contestants in the order of the legend; each keeps its colour and dash in every panel."""
APART: Final = ("noise", "methods", "startup", "ranks")
"""Groups that have other contestants."""
ACROSS: Final = 2
"""Panels in a row, so that names of workloads and generators have room."""
STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    name: line_style(place) for place, name in enumerate(SHOWN)
}


def bench_figure(measured: Sequence[Measured]) -> Figure:
    """The ratios of all single workloads in one panel, then a panel a series, then normals.

    Raises:
        KavgError: if there is nothing to draw.

    >>> one = Measured("small", "small", {"P": 2}, "ns", 1.0, {"kavg": [1.0], "JAX": [2.0]})
    >>> bench_figure([one]).axes[0].get_xlabel()
    'kavg / it'
    """
    singles = [m for m in measured if not m.ladder and m.group not in APART]
    ladders = [m for m in measured if m.ladder]
    series = [list(group) for _, group in groupby(ladders, lambda m: (m.name, m.ladder))]
    normals = [m for m in measured if m.group == "noise"]
    count = bool(singles) + len(series) + bool(normals)
    if not count:
        raise KavgError("there is nothing to draw; ask for a group other than startup")
    figure, panels = new_figure(count, across=ACROSS)
    if singles:
        _draw_ratios(panels[0], singles)
    for panel, one in zip(panels[bool(singles) :], series, strict=False):
        _draw_series(panel, one)
    if normals:
        _draw_normals(panels[-1], normals[0])
    drawn = {name for m in ladders for name in m.seconds} | {
        name for name in SHOWN if name != "kavg" and any(m.ratio(name) for m in singles)
    }
    if drawn:
        add_legend(figure, [(name, style) for name, style in STYLES.items() if name in drawn])
    return figure


def _draw_ratios(panel: Axes, workloads: Sequence[Measured]) -> None:
    """A row a workload, a point a contestant with its quartiles."""
    from matplotlib.ticker import LogLocator, NullFormatter

    names = [n for n in SHOWN if n != "kavg" and any(m.ratio(n) for m in workloads)]
    for place, name in enumerate(names):
        # Points of a row stand one above the other, or their bars would hide each other.
        aside = 0.5 * (place - (len(names) - 1) / 2) / max(1, len(names))
        points = [(i + aside, r) for i, m in enumerate(workloads) if (r := m.ratio(name))]
        middle = np.array([r.median for _, r in points])
        quartiles = np.array([r.quartiles for _, r in points]).T
        style = dict(STYLES[name]) | {"linestyle": "", "elinewidth": 1}
        rows = [y for y, _ in points]
        panel.errorbar(middle, rows, xerr=np.abs(quartiles - middle), **style)
    panel.axvline(1.0, color="0.4", linewidth=0.9)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.set_yticks(range(len(workloads)), [m.name for m in workloads])
    panel.invert_yaxis()
    style_axes(panel, "kavg / it", "", "below 1 kavg is faster")


def _draw_series(panel: Axes, series: Sequence[Measured]) -> None:
    """Median times over the size that varies, with their quartiles over the repetitions."""
    letter = series[0].ladder
    for name in (n for n in SHOWN if any(n in m.seconds for m in series)):
        members = [m for m in series if name in m.seconds]
        x = [m.sizes[letter] for m in members]
        times = np.array([np.asarray(m.seconds[name]) * m.scale for m in members])
        low, middle, high = np.quantile(times, (0.25, 0.5, 0.75), axis=1)
        draw_band(panel, x, low, high, STYLES[name]["color"])
        panel.plot(x, middle, **STYLES[name])
    panel.set_xscale("log")
    panel.set_yscale("log")
    title = textwrap.fill(series[0].name, 40)
    style_axes(panel, letter, textwrap.fill(series[0].unit, 24), title)


def _draw_normals(panel: Axes, tile: Measured) -> None:
    """A bar a generator, the fastest on top."""
    names = sorted(tile.seconds, key=tile.time, reverse=True)
    shades = [COLOURS[0] if name == "kavg" else "0.7" for name in names]
    panel.barh(names, [tile.time(name) for name in names], color=shades)
    style_axes(panel, tile.unit, "", f"{tile.name}, {tile.sizes['n']} a draw")
