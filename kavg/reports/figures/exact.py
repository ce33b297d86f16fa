"""Figures of exact moments: exact curves under measured means, and maps of stability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kavg.analysis.exact import Atlas
from kavg.analysis.exact.trajectory import ExactTrajectory
from kavg.errors import KavgError
from kavg.reports.figures.curves import Curve, mean_curve, scale_y_axis
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    describe_means,
    label_axes,
    new_figure,
    select_quantities,
    style_axes,
)  # fmt: skip
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import drawable, line_style, use_default_style
from kavg.reports.figures.typography import SIZE
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure

QUANTITIES: Final = ("F", "grad_norm2", "dispersion")
POINTS: Final = 16
"""Number of measured means drawn on a curve, at most."""
LEVELS: Final = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Spectral radii where the shade changes: closer towards 1, where rates differ most."""


@use_default_style()
def exact_figure(
    exacts: Sequence[ExactTrajectory],
    trajectories: Sequence[Trajectory] = (),
    axis: str = "rounds",
    quantities: Sequence[str] = QUANTITIES,
    level: float = 0.95,
    layout: Layout = PAGE,
) -> Figure:
    """Draw exact curves as lines and measured means as points with intervals, a panel a quantity.

    ``trajectories`` are as many as ``exacts`` and in their order, or none; each point is the mean
    over replicas of one recorded round and its bar ``mean_interval`` at ``level`` for that round
    alone, so of many bars some will miss their curve.  ``axis`` is rounds, steps, gradients or
    communications.

    Raises:
        KavgError: if exact and measured trajectories differ in number or order, or an axis or a
            quantity is unknown.

    >>> n, x = np.arange(5), np.geomspace(1.0, 0.1, 5)
    >>> run = ExactTrajectory("K-AVG", 2, 8, 1, n, x, x, x, x[:, None], x[:, None], 8 * n)
    >>> figure = exact_figure([run], quantities=["F"])
    >>> figure.axes[0].get_xlabel()
    'rounds'
    """
    if not exacts or len(trajectories) not in (0, len(exacts)):
        raise KavgError(
            f"give one or more exact trajectories and as many measured ones or none, got"
            f" {len(exacts)} and {len(trajectories)}"
        )
    for one, run in zip(exacts, trajectories, strict=False):
        is_named = one.name and run.name and one.name != run.name
        if is_named or (one.P, one.B) != (run.P, run.B) or not _have_same_steps(one, run):
            raise KavgError(
                f"exact and measured trajectories must be in one order, got those of {one.name!r} "
                f"and {run.name!r}, of P, K, B {one.P, one.K, one.B} and {run.P, run.K, run.B}"
            )
    known = dict.fromkeys((*QUANTITIES, *(name for each in exacts for name in each.series)))
    drawn = select_quantities(quantities, list(known))
    figure, panels = new_figure(len(drawn), layout)
    for panel, quantity in zip(panels, drawn, strict=True):
        lines = [_exact_curve(each, axis, quantity) for each in exacts]
        points = [_thin_out(mean_curve(run, axis, quantity, level)) for run in trajectories]
        scale_y_axis(panel, [*lines, *points], quantity)
        _draw_lines_and_points(panel, lines, points)
        label_axes(panel, axis, quantity)
    names = [each.name or _name_by_numbers(each) for each in exacts]
    add_legend(figure, [(name, line_style(place)) for place, name in enumerate(names)])
    means = describe_means(trajectories, level, "points", "bars") if trajectories else ""
    add_caption(figure, "; ".join(filter(None, ("lines: exact expectations", means))), layout)
    return figure


@use_default_style()
def atlas_figure(atlases: Sequence[Atlas], layout: Layout = PAGE) -> Figure:
    """Draw bands of the spectral radius over (gamma h, mu) and the boundary, a panel an atlas.

    Bands are computed, and the black line is the analytic boundary; outside all bands the rule is
    unstable.  The white line is the momentum on the grid whose radius is least at each step.

    Raises:
        KavgError: if there is no atlas, or one of a single step or momentum.

    >>> from kavg.analysis.exact import stability_atlas
    >>> chart = stability_atlas(1, np.linspace(0.05, 4, 40), np.linspace(0, 0.95, 20))
    >>> atlas_figure([chart]).axes[0].get_title()
    'BlockMomentum, K = 1'
    """
    if not atlases:
        raise KavgError("give one or more atlases, [atlas] for one of them")
    if any(min(chart.radius.shape) < 2 for chart in atlases):
        raise KavgError("a map needs at least two values of gamma_h and two of mu")
    figure, panels = new_figure(len(atlases), layout)
    for panel, chart in zip(panels, atlases, strict=True):
        bands = _draw_atlas(panel, chart)
    bar = figure.colorbar(bands, ax=panels, ticks=LEVELS, shrink=0.9)
    bar.set_label("spectral radius of a round", fontsize=SIZE)
    bar.ax.tick_params(labelsize=SIZE)
    lines = ("black: analytic boundary, unstable beyond it", "white: momentum of the least radius")
    add_caption(figure, "; ".join(lines), layout)
    return figure


def _name_by_numbers(exact: ExactTrajectory) -> str:
    is_constant = np.array_equal(exact.steps, exact.rounds * exact.K)
    return f"P={exact.P} K={exact.K}" if is_constant else f"P={exact.P}, K changes"


def _have_same_steps(one: ExactTrajectory, run: Trajectory) -> bool:
    """True if K was the same: a run that diverged has fewer rounds, and perhaps another last K."""
    _, a, b = np.intersect1d(one.rounds, run.rounds, return_indices=True)
    return np.array_equal(one.steps[a], run.steps[b])


def _exact_curve(exact: ExactTrajectory, axis: str, quantity: str) -> Curve:
    if quantity not in exact.series:  # that is not known for this method
        return Curve(*[np.empty(0)] * 4)
    values = drawable(exact.series[quantity])
    return Curve(exact.axis(axis).astype(np.float64), values, values, values)


def _thin_out(curve: Curve) -> Curve:
    """Return at most ``POINTS`` points of a curve, the first and the last among them."""
    places = np.unique(np.linspace(0, len(curve.x) - 1, POINTS).round().astype(int))
    return Curve(*(part[places] for part in (curve.x, curve.mean, curve.low, curve.high)))


def _draw_lines_and_points(panel: Axes, lines: Sequence[Curve], points: Sequence[Curve]) -> None:
    log = panel.get_yscale() == "log"
    for place, each in enumerate(lines):
        style = line_style(place) | {"marker": "", "zorder": 3 + place}
        panel.plot(each.x, drawable(each.mean, log=log), **style)
    for place, each in enumerate(points):
        # Points lie above all lines: a line may not hide what it is compared with.
        style = line_style(place) | {"linestyle": "", "zorder": 3 + len(lines) + place}
        mean, bars = drawable(each.mean, log=log), (each.mean - each.low, each.high - each.mean)
        panel.errorbar(each.x, mean, bars, capsize=2, elinewidth=1, **style)


def _draw_atlas(panel: Axes, chart: Atlas) -> QuadContourSet:
    # Cut off, as contourf leaves infinite values out, and the map does not show how unstable.
    x, y, shown = chart.gamma_h, chart.mu, np.minimum(chart.radius, 1.5)
    bands = panel.contourf(x, y, shown, levels=LEVELS, cmap="cividis")
    if shown.max() >= 1:
        panel.contourf(x, y, shown, levels=(1.0, 2.0), colors="0.92")
    best = np.where(shown.min(axis=0) < 1, y[np.argmin(shown, axis=0)], np.nan)
    panel.plot(x, best, color="white", linewidth=1.2)
    panel.plot(chart.boundary, y, color="black", linewidth=2.0)
    panel.set_xlim(x.min(), x.max())
    panel.set_ylim(y.min(), y.max())
    style_axes(panel, r"$\gamma h$", r"$\mu$", f"{chart.rule}, K = {chart.K}")
    return bands
