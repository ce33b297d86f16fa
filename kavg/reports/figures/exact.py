"""Pictures of exact moments: their curves under measured means, and maps of stability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kavg.analysis.estimate import mean_interval
from kavg.analysis.exact import Atlas
from kavg.analysis.exact.trajectory import ExactTrajectory
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.curves import LARGEST, Curve, frame, is_log, style
from kavg.reports.figures.layout import name_axes, new_sheet
from kavg.reports.figures.legend import legend
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure

SHOWN: Final = 16
"""How many measured means a curve carries at most."""
LEVELS: Final = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Spectral radii where the shade changes: finer towards 1, where it matters."""


def exact_figure(
    exacts: Sequence[ExactTrajectory],
    trajectories: Sequence[Trajectory] = (),
    axis: str = "rounds",
    quantities: Sequence[str] = ("F", "grad_norm2", "dispersion"),
    level: float = 0.95,
) -> Figure:
    """One panel a quantity: the exact curve as a line, measured means as points with limits.

    ``trajectories`` are as many as ``exacts`` and in their order, or none; each point is the mean
    over replicas of one recorded round and its bar ``mean_interval`` at ``level`` for that round
    alone, so of many bars some will miss.  ``axis`` is rounds, steps, gradients or communications.

    >>> n, x = np.arange(5), np.geomspace(1.0, 0.1, 5)
    >>> run = ExactTrajectory("K-AVG", 2, 8, 1, n, x, x, x, x[:, None], x[:, None])
    >>> figure = exact_figure([run], quantities=["F"])
    >>> figure.axes[0].get_xlabel()
    'rounds (one communication each)'
    """
    if not exacts or len(trajectories) not in (0, len(exacts)):
        raise KavgError(
            f"give one or more exact trajectories and as many measured ones or none, got"
            f" {len(exacts)} and {len(trajectories)}"
        )
    figure, panels = new_sheet(len(_known(quantities)))
    for panel, quantity in zip(panels, quantities, strict=True):
        curves = [_exact_curve(each, axis, quantity) for each in exacts]
        bars = [_measured(run, axis, quantity, level) for run in trajectories]
        _draw(panel, curves, bars, quantity)
        name_axes(panel, axis, quantity)
    legend(figure, [each.name or f"P={each.P} K={each.K}" for each in exacts])
    figure.suptitle(_caption(trajectories, level), fontsize=8)
    return figure


def atlas_figure(atlases: Sequence[Atlas]) -> Figure:
    """One panel an atlas: bands of the spectral radius over (gamma h, mu), boundary on top.

    Bands are computed; the black line is the analytic boundary, and where no band is the rule is
    unstable.  The white line is the momentum on the grid whose radius is least at each step.

    >>> from kavg.analysis.exact import stability_atlas
    >>> chart = stability_atlas(1, np.linspace(0.05, 4, 40), np.linspace(0, 0.95, 20))
    >>> atlas_figure([chart]).axes[0].get_title()
    'BlockMomentum, K = 1'
    """
    if not atlases:
        raise KavgError("give one or more atlases, [atlas] for one of them")
    if any(min(chart.radius.shape) < 2 for chart in atlases):
        raise KavgError("a map needs at least two values of gamma_h and two of mu")
    figure, panels = new_sheet(len(atlases))
    for panel, chart in zip(panels, atlases, strict=True):
        bands = _draw_atlas(panel, chart)
    bar = figure.colorbar(bands, ax=panels, ticks=LEVELS, shrink=0.9)
    bar.set_label("spectral radius of a round", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    lines = ("black: analytic boundary, unstable beyond it", "white: momentum of the least radius")
    figure.suptitle(("; " if len(panels) > 1 else "\n").join(lines), fontsize=8)
    return figure


def _known(quantities: Sequence[str]) -> Sequence[str]:
    there = ("F", "grad_norm2", "dispersion")
    strange = [name for name in quantities if name not in there]
    if strange or not quantities:
        raise KavgError(f"cannot draw {strange or 'nothing'}; exact are: {', '.join(there)}")
    return quantities


def _tame(values: Floats) -> Floats:
    return np.where(np.abs(values) <= LARGEST, values, np.nan)


def _exact_curve(each: ExactTrajectory, axis: str, quantity: str) -> Curve:
    values = _tame(each.series[quantity])
    x = each.axis(axis).astype(np.float64)
    return Curve(x, values, values, values, values[:, None][:, :0])


def _measured(run: Trajectory, axis: str, quantity: str, level: float) -> Curve:
    estimate = mean_interval(run.series[quantity], level)
    kept = np.unique(np.linspace(0, len(run.rounds) - 1, SHOWN).round().astype(int))
    x = np.asarray(run.axis(axis), np.float64)[kept]
    mean, low, high = (_tame(e)[kept] for e in (estimate.mean, estimate.low, estimate.high))
    return Curve(x, mean, low, high, mean[:, None][:, :0])


def _draw(panel: Axes, curves: Sequence[Curve], bars: Sequence[Curve], quantity: str) -> None:
    log = is_log(quantity, curves)
    panel.set_yscale("log" if log else "linear")
    panel.set_ylim(*frame([*curves, *bars], log))
    for place, each in enumerate(curves):
        look = style(place) | {"marker": "", "zorder": 3 + place}
        panel.plot(each.x, _above(each.mean, log), **look)
    for place, each in enumerate(bars):
        look = style(place) | {"linestyle": "", "zorder": 10 + place}
        down, up = each.mean - each.low, each.high - each.mean
        panel.errorbar(each.x, _above(each.mean, log), (down, up), capsize=2, elinewidth=1, **look)


def _above(values: Floats, log: bool) -> Floats:
    return np.where(values > 0, values, np.nan) if log else values


def _draw_atlas(panel: Axes, chart: Atlas) -> QuadContourSet:
    x, y, shown = chart.gamma_h, chart.mu, np.minimum(chart.radius, 1.5)
    bands = panel.contourf(x, y, shown, levels=LEVELS, cmap="cividis")
    if shown.max() >= 1:
        panel.contourf(x, y, shown, levels=(1.0, 2.0), colors="0.92")
    best = np.where(shown.min(axis=0) < 1, y[np.argmin(shown, axis=0)], np.nan)
    panel.plot(x, best, color="white", linewidth=1.2)
    panel.plot(chart.boundary, y, color="black", linewidth=2.0)
    panel.set_xlim(x.min(), x.max())
    panel.set_ylim(y.min(), y.max())
    panel.set_title(f"{chart.rule}, K = {chart.K}", fontsize=9)
    panel.set_xlabel(r"$\gamma h$", fontsize=9)
    panel.set_ylabel(r"$\mu$", fontsize=9)
    panel.tick_params(labelsize=8)
    return bands


def _caption(trajectories: Sequence[Trajectory], level: float) -> str:
    if not trajectories:
        return "lines: exact expectations"
    counts = sorted({run.replicas for run in trajectories})
    if counts[-1] == 1:
        return "lines: exact expectations; points: one replica"
    many = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f"lines: exact; points: means of {many} replicas with {100 * level:g} % limits"
