"""Figures of a quantity over a setting: curves with bands, the best marked, in one or more panels.

Several panels, one for each value of a third setting, are small multiples with shared axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from kavg.errors import KavgError
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    describe_replicas,
    fold_title,
    label_quantity,
    new_figure,
    style_axes,
)
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.style import line_style, use_default_style
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.setting_axis import VariedAxis, draw_setting_axis
from kavg.reports.figures.sweeps.setting_curve import (
    SettingCurve,
    draw_setting_curve,
    find_limits,
)
from kavg.reports.figures.ticks import set_linear_ticks, set_log_ticks
from kavg.reports.figures.typography import SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@final
@dataclass(frozen=True, eq=False)
class SettingPanel:
    """The curves of one panel with its title, which may be empty."""

    title: str
    curves: tuple[SettingCurve, ...]


@use_default_style()
def setting_figure(
    panels: Sequence[SettingPanel],
    axis: VariedAxis,
    quantity: PlottedQuantity,
    layout: Layout = PAGE,
) -> Figure:
    """Draw curves of a quantity over a setting, a panel each, on shared axes.

    A band is the confidence interval of each mean by itself, a star the best value of a curve, and
    a cross at the upper edge a value at which runs failed.  The legend says where a best value is
    the first or the last of its grid: a wider grid may hold a better one.

    Raises:
        KavgError: if there is no curve, or one has not a value for each of the setting.

    >>> import numpy as np
    >>> from kavg.analysis.estimate import mean_interval
    >>> found = mean_interval(np.outer([3.0, 1.0, 2.0], [0.9, 1.0, 1.1]))
    >>> curve = SettingCurve("M-AVG", found, np.zeros(3, bool), best=1)
    >>> panels, axis = [SettingPanel("", (curve,))], VariedAxis("K", (1, 4, 16))
    >>> figure = setting_figure(panels, axis, PlottedQuantity("F"))
    >>> figure.axes[0].get_xlabel()
    'local steps a round, $K$'
    """
    names = _curve_names(panels, axis)
    across = min(len(panels), 2 if layout.width == "column" else 3)
    figure, places = new_figure(len(panels), layout, across=across, share=True)
    curves = [curve for panel in panels for curve in panel.curves]
    log, low, high = find_limits(curves)
    inches = layout.inches / across - 0.7
    for place, panel in zip(places, panels, strict=True):
        place.set_yscale("log" if log else "linear")
        place.set_ylim(low, high)
        for curve in panel.curves:
            draw_setting_curve(place, axis.positions, curve, names.index(curve.name), len(names))
        _label_panel(place, axis, quantity, fold_title(panel.title, inches))
        draw_setting_axis(place, axis, inches)
        (set_log_ticks if log else set_linear_ticks)(place.yaxis, low, high)
    _drop_inner_labels(places, across)
    if len(places) > 1:
        _share_y_label(figure, places, quantity)
    add_legend(figure, list(_legend_entries(curves, names, axis, quantity)))
    add_caption(figure, _describe_curves(curves, quantity), layout)
    return figure


def _curve_names(panels: Sequence[SettingPanel], axis: VariedAxis) -> list[str]:
    curves = [curve for panel in panels for curve in panel.curves]
    if not curves:
        raise KavgError("give one or more panels with a curve each")
    n = len(axis.values)
    for curve in curves:
        if curve.estimate.mean.shape != (n,) or curve.failed.shape != (n,):
            raise KavgError(
                f"curve {curve.name!r} needs a value for each of the {n} of {axis.name}, got "
                f"shape {curve.estimate.mean.shape}"
            )
    return list(dict.fromkeys(curve.name for curve in curves))


def _label_panel(panel: Axes, axis: VariedAxis, quantity: PlottedQuantity, title: str) -> None:
    (x_label, _), (y_label, is_math) = axis.label, label_quantity(quantity.name)
    style_axes(panel, x_label, y_label, title, math=is_math)
    panel.xaxis.label.set_parse_math(axis.label[1])


def _drop_inner_labels(panels: Sequence[Axes], across: int) -> None:
    for place, panel in enumerate(panels):
        if place % across:
            panel.set_ylabel("")
            panel.tick_params(labelleft=False)
        if place + across < len(panels):
            panel.set_xlabel("")
            panel.tick_params(labelbottom=False)


def _share_y_label(figure: Figure, panels: Sequence[Axes], quantity: PlottedQuantity) -> None:
    # One for all rows, which are lower than a long label is wide.
    for panel in panels:
        panel.set_ylabel("")
    label, is_math = label_quantity(quantity.name, figure.get_size_inches()[1] - 0.6)
    figure.supylabel(label, fontsize=SIZE, parse_math=is_math)


def _legend_entries(
    curves: Sequence[SettingCurve],
    names: Sequence[str],
    axis: VariedAxis,
    quantity: PlottedQuantity,
) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, name in enumerate(names):
        bests = [c.best for c in curves if c.name == name and c.best is not None]
        # Names have no order, and so no end beyond which others could be tried.
        has_ends = axis.is_numeric and quantity.is_searched
        ends = (0, len(axis.values) - 1) if has_ends else ()
        at_end = any(best in ends for best in bests)
        yield name + " (best at an end of its grid)" * at_end, line_style(place)


def _describe_curves(curves: Sequence[SettingCurve], quantity: PlottedQuantity) -> str:
    counts = [curve.estimate.replicas for curve in curves]
    has_band = any(np.isfinite(curve.estimate.low).any() for curve in curves)
    shaded = "shaded" if has_band else ""
    parts = [describe_replicas(counts, curves[0].estimate.level, "points", shaded)]
    if any(curve.best is not None for curve in curves):
        parts.append(f"star: the {quantity.best}")
    if any(curve.failed.any() for curve in curves):
        parts.append(f"cross: {quantity.failure}")
    return "; ".join(parts)
