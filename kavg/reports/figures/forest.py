"""Forest plot: estimates with their intervals, one a row, against a line of no difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.estimate import Estimate
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.reports.figures.layout import PAGE, Layout, add_caption, describe_replicas, style_axes
from kavg.reports.figures.style import COLOURS, LARGEST, use_default_style
from kavg.reports.figures.ticks import set_linear_ticks, set_log_ticks
from kavg.reports.figures.typography import LINE, SIZE, fold_to_width, replace_missing_glyphs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP: Final = 0.09
"""Inches between two rows."""
MOST_LINES: Final = 4
"""Lines of a name at most."""
FARTHEST: Final = 50.0
"""Ratio over the outermost mean, or widths over it, beyond which an interval is cut."""


@use_default_style()
def forest_figure(
    rows: Sequence[tuple[str, Estimate]],
    label: str,
    reference: float = 1.0,
    log: bool = True,
    layout: Layout = PAGE,
) -> Figure:
    """Draw named estimates of one number each, from top to bottom, with their intervals.

    ``reference`` is a dotted line, 1 for ratios and 0 for differences; ``log`` is for ratios, whose
    axis is logarithmic.  An interval that has no end, or a far one, ends in an arrow.

    Raises:
        KavgError: if there is no row, or an estimate of more than one number.

    >>> from kavg.analysis.estimate import mean_interval
    >>> rows = [("M-AVG, P=16", mean_interval([2.6, 2.9, 3.2]))]
    >>> forest_figure(rows, "speed-up over K-AVG").axes[0].get_xscale()
    'log'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not rows or any(np.ndim(each.mean) for _, each in rows):
        raise KavgError("a forest plot needs one or more rows with an estimate of one number each")
    room = 0.4 * layout.inches
    names = [fold_to_width(replace_missing_glyphs(name), room, MOST_LINES) for name, _ in rows]
    height = max(name.count("\n") + 1 for name in names) * LINE + GAP
    figure = Figure(figsize=(layout.inches, 0.6 + height * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    panel: Axes = figure.subplots()
    low, high = _span([each for _, each in rows], reference, log=log)
    panel.set_xscale("log" if log else "linear")
    panel.set_xlim(low, high)
    panel.axvline(reference, color="0.45", linestyle=(0, (1, 1)), linewidth=1.2)
    for place, (_, each) in enumerate(rows):
        _draw_row(panel, each, place)
    style_axes(panel, label, "")
    panel.xaxis.label.set_parse_math(False)
    panel.set_yticks(range(len(rows)), labels=names, fontsize=SIZE)
    for text in panel.get_yticklabels():
        text.set_parse_math(False)
    # From top to bottom, as a table is read.
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.grid(axis="y", visible=False)
    (set_log_ticks if log else set_linear_ticks)(panel.xaxis, low, high)
    counts = [each.replicas for _, each in rows]
    caption = describe_replicas(counts, rows[0][1].level, "points", "bars")
    if max(counts) > 1 and not all(_has_interval(each) for _, each in rows):
        caption += "; hollow: no interval"
    add_caption(figure, caption, layout)
    return figure


def _span(estimates: Sequence[Estimate], reference: float, *, log: bool) -> tuple[float, float]:
    means = np.array([float(each.mean) for each in estimates])
    ends = np.array([(float(each.low), float(each.high)) for each in estimates]).ravel()
    inner = np.append(means[_is_shown(means, log=log)], reference)
    if log:
        far = (inner.min() / FARTHEST, inner.max() * FARTHEST)
    else:
        width = FARTHEST * (np.ptp(inner) or abs(reference) or 1.0)
        far = (inner.min() - width, inner.max() + width)
    # Far ends are cut, as they would press all means together.
    near = ends[_is_shown(ends, log=log) & (ends >= far[0]) & (ends <= far[1])]
    together = np.append(inner, near)
    low, high = float(together.min()), float(together.max())
    if log:
        room = max((high / low) ** 0.06, 1.05)
        return low / room, high * room
    space = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - space, high + space


def _is_shown(values: Floats, *, log: bool) -> NDArray[np.bool_]:
    return np.isfinite(values) & (np.abs(values) < LARGEST) & ((values > 0) | (not log))


def _draw_row(panel: Axes, each: Estimate, place: int) -> None:
    (left, right), colour = panel.get_xlim(), COLOURS[0]
    ends = np.array([float(each.low), float(each.high)])
    # An end that is not known lies beyond the edge.
    ends = np.where(np.isnan(ends), each.mean, ends)
    low, high = np.clip(ends, left, right)
    if np.isfinite(low) and np.isfinite(high):
        panel.hlines(place, low, high, color=colour, linewidth=1.5)
    for end, edge, marker in ((ends[0], left, "<"), (ends[1], right, ">")):
        if (end < left) if marker == "<" else (end > right):
            panel.plot([edge], [place], marker=marker, color=colour, clip_on=False, markersize=5)
    if left <= each.mean <= right:
        # Filled, a mean without an interval would look like one that is known exactly.
        face = colour if _has_interval(each) else "white"
        style: dict[str, Any] = {"marker": "s", "color": colour, "markersize": 5.5}
        panel.plot([float(each.mean)], [place], markerfacecolor=face, **style)


def _has_interval(each: Estimate) -> bool:
    return not (np.isnan(each.low) and np.isnan(each.high))
