"""One picture of all ratios, of the series, and of normals and averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.benchmarks.ratios import Measured
from kavg.errors import KavgError
from kavg.reports.figures.curves import style
from kavg.reports.figures.layout import new_sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN: Final = (
    "kavg",
    "NumPy loop",
    "PyTorch",
    "JAX",
    "floor",
    "PyTorch, float32 normals",
    "JAX, float32 normals",
    "PyTorch, gloo",
    "kavg, plain sum",
    "gloo",
    "MPI, d numbers",
    "MPI, 2 d numbers",
)
"""Curves in the order of the legend; each keeps its colour and dash in every panel."""


def bench_figure(found: Sequence[Measured]) -> Figure:
    """The ratios of all single workloads in one panel, then a panel a series, then normals.

    >>> one = Measured("small", "small", {"P": 2}, "ns", 1.0, {"kavg": [1.0], "JAX": [2.0]})
    >>> bench_figure([one]).axes[0].get_ylabel()
    'kavg / it'
    """
    singles = [m for m in found if not m.ladder and m.group not in ("noise", "startup", "ranks")]
    ladders = [list(g) for _, g in groupby((m for m in found if m.ladder), lambda m: series_of(m))]
    normals = [m for m in found if m.group == "noise"]
    parts = [singles] * bool(singles) + ladders + [normals] * bool(normals)
    if not parts:
        raise KavgError("there is nothing to draw; ask for a group other than startup")
    figure, panels = new_sheet(len(parts))
    looks: dict[str, dict[str, Any]] = {}
    for panel, part in zip(panels, parts, strict=True):
        if part is singles:
            draw_ratios(panel, part, looks)
        elif part is normals:
            draw_normals(panel, part)
        else:
            draw_series(panel, part, looks)
        panel.tick_params(which="both", labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(linewidth=0.4, alpha=0.5)
    explain(figure, looks)
    return figure


def series_of(found: Measured) -> tuple[str, str]:
    """What a series goes by."""
    return found.name, found.ladder


def look(name: str, looks: dict[str, dict[str, Any]]) -> Mapping[str, Any]:
    """How a contestant is drawn, the same everywhere; it is remembered for the legend."""
    return looks.setdefault(name, style(SHOWN.index(name)))


def draw_ratios(panel: Axes, found: Sequence[Measured], looks: dict[str, dict[str, Any]]) -> None:
    """A column a workload, a point a contestant with its quartiles; below 1 kavg is quicker."""
    from matplotlib.ticker import LogLocator, NullFormatter

    names = [n for n in SHOWN if n != "kavg" and any(m.ratio(n) for m in found)]
    for place, name in enumerate(names):
        aside = 0.5 * (place - (len(names) - 1) / 2) / max(1, len(names))
        points = [(i + aside, r) for i, m in enumerate(found) if (r := m.ratio(name))]
        middle = np.array([r.median for _, r in points])
        limits = np.array([r.quartiles for _, r in points]).T
        panel.errorbar(
            [x for x, _ in points],
            middle,
            np.abs(limits - middle),
            **dict(look(name, looks)) | {"linestyle": "", "elinewidth": 1},
        )
    panel.axhline(1.0, color="0.4", linewidth=0.9)
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.set_title("below 1 kavg is quicker", fontsize=8)
    panel.set_ylabel("kavg / it", fontsize=8)
    panel.set_xticks(range(len(found)), [m.name for m in found], rotation=40, ha="right")


def draw_series(panel: Axes, found: Sequence[Measured], looks: dict[str, dict[str, Any]]) -> None:
    """Median times over the size that varies, with their quartiles over the repetitions."""
    letter = found[0].ladder
    for name in (n for n in SHOWN if any(n in m.seconds for m in found)):
        there = [m for m in found if name in m.seconds]
        x = [m.sizes[letter] for m in there]
        times = np.array([np.asarray(m.seconds[name]) * m.scale for m in there])
        low, middle, high = np.quantile(times, (0.25, 0.5, 0.75), axis=1)
        how = dict(look(name, looks))
        panel.fill_between(x, low, high, color=how["color"], alpha=0.22, linewidth=0)
        panel.plot(x, middle, **how)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_title(found[0].name, fontsize=8)
    panel.set_xlabel(letter, fontsize=8)
    panel.set_ylabel(found[0].unit, fontsize=7)


def draw_normals(panel: Axes, found: Sequence[Measured]) -> None:
    """A bar a generator, for the smallest size: a tile."""
    tile = found[0]
    names = sorted(tile.seconds, key=tile.time, reverse=True)
    shades = ["#003D7C" if name == "kavg" else "0.7" for name in names]
    panel.barh(names, [tile.time(name) for name in names], color=shades)
    panel.set_title(f"{tile.name}, {tile.sizes['n']} a draw", fontsize=8)
    panel.set_xlabel(tile.unit, fontsize=8)


def explain(figure: Figure, looks: Mapping[str, Any]) -> None:
    """Name what was drawn."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=n, **looks[n]) for n in SHOWN if n in looks]
    width, height = figure.get_size_inches()
    across = max(1, int(width / 1.9))
    figure.set_size_inches(width, height + 0.3 + 0.2 * -(-len(handles) // across))
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=across, fontsize=8, frameon=False
        )
