"""Figure of speed-ups over a setting, with the line of linear speed-up; both axes logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    describe_replicas,
    new_figure,
    style_axes,
)
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import line_style, use_default_style
from kavg.reports.figures.sweeps.setting_axis import VariedAxis, draw_setting_axis
from kavg.reports.figures.sweeps.setting_curve import SettingCurve, draw_setting_curve
from kavg.reports.figures.ticks import set_log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINEAR: Final[dict[str, Any]] = {"color": "0.45", "linestyle": (0, (1, 1)), "linewidth": 1.2}
SCALES: Final = ("P", "K", "B")
"""Settings over which a linear speed-up is drawn."""


@use_default_style()
def speed_up_figure(
    curves: Sequence[SettingCurve],
    axis: VariedAxis,
    layout: Layout = PAGE,
) -> Figure:
    """Draw speed-ups against the first value of a setting, each with its interval.

    Over P, K and B a dotted line is linear speed-up: as many times faster as there are learners,
    local steps or examples.  Where a mean is not finite and ``low`` is, as for a run that never
    reached the target at the first value, a hollow triangle stands at ``low``: at least so much.

    Raises:
        KavgError: if there is no curve, or the setting is not one of positive numbers.

    >>> from kavg.analysis.estimate import mean_interval
    >>> found = mean_interval(np.outer([1.0, 3.8, 13.0], [0.9, 1.0, 1.1]))
    >>> curve = SettingCurve("M-AVG", found, np.zeros(3, bool))
    >>> figure = speed_up_figure([curve], VariedAxis("P", (1, 4, 16)))
    >>> figure.axes[0].get_ylabel()
    'speed-up over P = 1'
    """
    x = axis.positions
    if not curves or not axis.is_numeric or x.min() <= 0:
        raise KavgError(f"a speed-up needs curves over a setting of positive numbers, got {axis}")
    figure, (panel,) = new_figure(1, layout, across=1)
    known = [_positive_part(curve) for curve in curves]
    panel.set_yscale("log")
    low, high = _ratio_limits(known, x / x[0] if axis.name in SCALES else np.ones(1))
    panel.set_ylim(low, high)
    entries = [(curve.name, line_style(place)) for place, curve in enumerate(curves)]
    if axis.name in SCALES:
        panel.plot(x, x / x[0], zorder=2, **LINEAR)
        entries.append(("linear", LINEAR))
    for place, curve in enumerate(known):
        draw_setting_curve(panel, x, curve, place, len(curves))
        _draw_lower_limits(panel, x, curve, place)
    first = f"{axis.name} = {axis.values[0]}"
    style_axes(panel, axis.label[0], f"speed-up over {first}", math=False)
    panel.xaxis.label.set_parse_math(axis.label[1])
    draw_setting_axis(panel, axis, layout.inches - 0.7)
    set_log_ticks(panel.yaxis, low, high)
    add_legend(figure, entries)
    counts, level = [curve.estimate.replicas for curve in curves], curves[0].estimate.level
    caption = describe_replicas(counts, level, "points", "shaded")
    is_open = any(_find_open(curve).any() for curve in known)
    add_caption(figure, caption + "; hollow: at least" * is_open, layout)
    return figure


def _positive_part(curve: SettingCurve) -> SettingCurve:
    """The curve without values that a logarithmic axis cannot show."""
    e = curve.estimate
    # No logarithmic axis shows them.
    mean, low, high = (np.where(end > 0, end, np.nan) for end in (e.mean, e.low, e.high))
    # A limit at or below 0 says that nothing is known downwards.
    low = np.where(np.isfinite(mean) & ~np.isfinite(low) & np.isfinite(high), mean * 1e-3, low)
    return replace(curve, estimate=replace(e, mean=mean, low=low, high=high))


def _find_open(curve: SettingCurve) -> Any:
    return ~np.isfinite(curve.estimate.mean) & np.isfinite(curve.estimate.low)


def _ratio_limits(curves: Sequence[SettingCurve], linear: Floats) -> tuple[float, float]:
    shown = [curve.shown for curve in curves]
    limits = [np.where(_find_open(curve), curve.estimate.low, np.nan) for curve in curves]
    values = np.concatenate([*shown, *limits, linear])
    values = values[np.isfinite(values) & (values > 0)]
    ends = np.concatenate([np.append(c.estimate.low, c.estimate.high) for c in curves])
    near = ends[(ends > values.min() / 2) & (ends < values.max() * 2)]
    together = np.append(values, near)
    return float(together.min() / 1.15), float(together.max() * 1.15)


def _draw_lower_limits(panel: Axes, x: Floats, curve: SettingCurve, place: int) -> None:
    at_least = _find_open(curve)
    if at_least.any():
        colour = line_style(place)["color"]
        panel.plot(
            x[at_least], curve.estimate.low[at_least], linestyle="", marker="^", markersize=6.5,
            markerfacecolor="white", markeredgecolor=colour, markeredgewidth=1.2, zorder=10,
        )  # fmt: skip
