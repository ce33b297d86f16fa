"""Figure of verdicts: measured means under their bounds, for every number of rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.applicability import smoothness_bound
from kavg.analysis.bounds.bound import Bound, Quantity
from kavg.analysis.bounds.setting import Setting
from kavg.analysis.comparison import Comparison
from kavg.analysis.estimate import Estimate, mean_interval
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.bound_lines import Styles, bound_styles, group_bounds, name_line
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    fold_title,
    new_figure,
    style_axes,
)
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import (
    LARGEST,
    draw_band,
    drawable,
    line_style,
    use_default_style,
)  # fmt: skip
from kavg.reports.figures.ticks import set_log_ticks
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS: Final = 60
"""Number of N for which a curve is drawn, at most."""
MEASURED: Final[Mapping[str, Any]] = line_style(0) | {"linewidth": 1.8}
SMOOTHNESS: Final[Mapping[str, Any]] = {"color": "0.6", "linewidth": 0.9}
QUANTITY_LABELS: Final[Mapping[Quantity, str]] = {
    "mean_grad_norm2": "mean of $\\|\\nabla F\\|^2$\nover N rounds",
    "mean_grad_norm2_local": "mean of $\\|\\nabla F\\|^2$\nover local steps",
    "final_gap": r"$F(w_{N+1}) - F^\star$",
}


@final
@dataclass(frozen=True, eq=False)
class VerdictPanel:
    """The content of one panel: a run's measured quantity and every bound on it that applies.

    ``measured (len(N),)`` is the mean had the run been of ``N`` rounds, and ``bound_values
    (bounds, len(N))`` each bound's value then; ``smoothness`` is what smoothness alone gives at the
    start (``smoothness_bound``).
    """

    name: str
    quantity: Quantity
    N: NDArray[np.int64]
    measured: Estimate
    smoothness: float
    bounds: tuple[Bound, ...]
    bound_values: Floats


def verdict_panels(
    comparisons: Sequence[Comparison], runs: Sequence[Trajectory]
) -> list[VerdictPanel]:
    """Return a panel for each algorithm and each quantity that a bound applies to.

    ``comparisons`` are those of all algorithms with all bounds; where no bound applies there is no
    panel, so the list may be empty.

    Raises:
        KavgError: if two runs have one name, or a comparison has no run.
    """
    run_of = {run.name: run for run in runs}
    if len(run_of) < len(runs) or not {one.algorithm for one in comparisons} <= run_of.keys():
        raise KavgError(
            "every algorithm needs a name of its own and a run of that name, got runs of "
            f"{shorten_repr([run.name for run in runs])}; use Algorithm(..., name='M-AVG')"
        )
    groups: dict[tuple[str, Quantity], list[Comparison]] = {}
    for one in comparisons:
        if one.measurement is not None:
            groups.setdefault((one.algorithm, one.bound.quantity), []).append(one)
    return [_make_panel(run_of[name], group) for (name, _), group in groups.items()]


@use_default_style()
def verdict_figure(panels: Sequence[VerdictPanel], layout: Layout = PAGE) -> Figure:
    """Draw each panel: measured mean with its 95 % interval, and the bounds as lines.

    Both axes are logarithmic, where there is anything above 0.  Of bounds that look like one line
    only the sharpest is drawn; the legend lists those that are drawn in no panel beside it.

    Raises:
        KavgError: if there is no panel.

    >>> from kavg.analysis.bounds import BOUNDS
    >>> N, x = np.arange(1, 5), np.ones(4)
    >>> measured = mean_interval(x[:, None] * [1, 2, 3])
    >>> panel = VerdictPanel("K-AVG", "final_gap", N, measured, 5.0, BOUNDS[:1], 10 * x[None])
    >>> verdict_figure([panel]).axes[0].get_xlabel()
    'rounds N'
    """
    if not panels:
        raise KavgError("no bound applies to any of these runs, so there is nothing to draw")
    groups = [_group_panel(panel) for panel in panels]
    styles = bound_styles([name for group in groups for name in group])
    figure, axes = new_figure(len(panels), layout)
    inches = layout.inches / layout.count_across(len(panels)) - 0.8
    for place, panel, group in zip(axes, panels, groups, strict=True):
        _draw_panel(place, panel, {name: styles[name] for name in group}, inches)
    bounds = [(name_line(name, groups, styles), style) for name, style in styles.items()]
    add_legend(
        figure,
        [("measured", MEASURED), *bounds, ("smoothness alone, at the start", SMOOTHNESS)],
    )
    caption = "measured means (shaded: 95 % confidence intervals) and their bounds"
    hidden = "; bounds on one line: the sharpest is drawn"
    is_shared = any(others for group in groups for others in group.values())
    add_caption(figure, caption + hidden * is_shared, layout)
    return figure


def _make_panel(run: Trajectory, comparisons: Sequence[Comparison]) -> VerdictPanel:
    settings = [one.setting for one in comparisons if one.setting is not None]
    bounds = tuple(one.bound for one in comparisons)
    quantity = bounds[0].quantity
    if quantity == "final_gap":
        # F - f_star, with f_star as it follows from Delta, the mean gap of the starts.
        series = run.series["F"][1:] - (run.series["F"][0].mean() - settings[0].Delta)
        counted = run.rounds[1:]
    else:
        sums = np.cumsum(run.series["grad_norm2"], axis=0)
        series = (sums / np.arange(1, len(sums) + 1)[:, None])[: settings[0].N]
        counted = run.rounds + 1
    # Evenly spaced on the logarithmic axis; the first few rounds round to the same place.
    places = np.unique(np.geomspace(1, max(len(series), 1), POINTS).round().astype(int)) - 1
    N = np.asarray(counted[places], np.int64)
    values = np.array([_values_at(b, s, N) for b, s in zip(bounds, settings, strict=True)])
    smoothness = smoothness_bound(settings[0], quantity)
    measured = mean_interval(series[places])
    return VerdictPanel(run.name, quantity, N, measured, smoothness, bounds, values)


def _values_at(bound: Bound, setting: Setting, N: NDArray[np.int64]) -> Floats:
    return np.array([bound.value(replace(setting, N=int(n))).total for n in N])


def _group_panel(panel: VerdictPanel) -> dict[str, list[str]]:
    names = [bound.name for bound in panel.bounds]
    return group_bounds(names, panel.bound_values, panel.measured.mean)


def _draw_panel(axes: Axes, panel: VerdictPanel, styles: Styles, inches: float) -> None:
    estimate = panel.measured
    mean, low, high = (drawable(x, log=True) for x in (estimate.mean, estimate.low, estimate.high))
    draw_band(axes, panel.N, low, high, MEASURED["color"])
    axes.plot(panel.N, mean, markevery=8, zorder=9, **MEASURED)
    bound_values = drawable(panel.bound_values, log=True)
    for bound, values in zip(panel.bounds, bound_values, strict=True):
        if bound.name in styles:
            axes.plot(panel.N, values, **styles[bound.name])
    has_smoothness = 0 < panel.smoothness <= LARGEST
    if has_smoothness:
        axes.axhline(panel.smoothness, **SMOOTHNESS)
    title = fold_title(panel.name, inches)
    style_axes(axes, "rounds N", QUANTITY_LABELS[panel.quantity], title)
    axes.set_xscale("log")
    if panel.N[-1] > panel.N[0]:
        set_log_ticks(axes.xaxis, float(panel.N[0]), float(panel.N[-1]))
    # A run that starts at a minimum, without noise, has zeros alone, which no logarithm shows.
    if has_smoothness or np.isfinite(mean).any() or np.isfinite(bound_values).any():
        axes.set_yscale("log")
        set_log_ticks(axes.yaxis, *axes.get_ylim())
