"""Figure of a quantity over two settings: shaded cells, the best, and what may be as good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.reports.figures.curves import DECADES
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    describe_replicas,
    label_quantity,
    new_figure,
)
from kavg.reports.figures.style import drawable, use_default_style
from kavg.reports.figures.sweeps.cells import (
    HATCH,
    check_maps,
    draw_cells,
    draw_outline,
    label_cells,
)
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.setting_axis import VariedAxis
from kavg.reports.figures.sweeps.setting_curve import LEFT_OUT, STAR
from kavg.reports.figures.ticks import (
    add_power,
    find_power,
    format_ticks,
    linear_ticks,
    log_ticks,
)
from kavg.reports.figures.typography import SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

COLOUR_MAP: Final = "cividis"
"""Its lightness grows steadily, so that it reads the same in grey and to the colour-blind."""
VECTORS: Final[dict[str, Any]] = {"edgecolors": "face", "linewidth": 0.3}
"""Cells with edges of their own colour, as viewers of PDF leave gaps between others."""
CONTOURS: Final = ("-", (0, (1.2, 1.0)))
"""Dashes of the contours of confidence, one a level."""


@final
@dataclass(frozen=True, eq=False)
class HeatMap:
    """The values of one map, all ``(rows, columns)``: a row for each value of y, a column for x.

    ``values`` are NaN where there is no point; ``failed`` is true where runs have no value;
    ``p_values`` are those of ``best_set_p_values``, or None for a map without contours; the values
    are means over ``replicas``.
    """

    title: str
    values: Floats
    failed: NDArray[np.bool_]
    p_values: Floats | None = None
    replicas: int = 1

    @property
    def shown(self) -> Floats:
        """The values that are shaded: NaN where runs failed."""
        return np.where(self.failed, np.nan, drawable(self.values))


@use_default_style()
def heat_map_figure(
    maps: Sequence[HeatMap],
    axes: tuple[VariedAxis, VariedAxis],
    quantity: PlottedQuantity,
    levels: Sequence[float] = (0.95,),
    layout: Layout = PAGE,
) -> Figure:
    r"""Draw a quantity over two settings ``axes`` (x, y), a map a panel, all with one scale.

    Every cell is a point of the grid, so that cells are of one size whatever their values.  A star
    is the best value; a contour at level 0.95 encloses the cells that can hold the best mean: it
    holds the true one with 95 % confidence.  Cells that failed are hatched, and those without a
    point are white.

    Raises:
        KavgError: if there is no map, or one has another shape than the settings say.

    >>> values = np.array([[3.0, 2.0, 4.0], [2.0, 1.0, 5.0]])
    >>> chart = HeatMap("M-AVG", values, np.isnan(values))
    >>> axes = VariedAxis("gamma", (0.1, 0.2, 0.4)), VariedAxis("mu", (0.0, 0.5))
    >>> heat_map_figure([chart], axes, PlottedQuantity("F")).axes[0].get_ylabel()
    'momentum $\\mu$'
    """
    check_maps([each.values.shape for each in maps], axes)
    across = layout.count_across(len(maps))
    figure, panels = new_figure(len(maps), layout, across=across)
    scale, is_cut = _find_scale(maps)
    for panel, chart in zip(panels, maps, strict=True):
        image = panel.pcolormesh(chart.shown, cmap=COLOUR_MAP, norm=scale, **VECTORS)
        draw_cells(panel, chart.failed, HATCH)
        # The widest first, so that a narrow one that coincides with it is seen.
        for level, dash in reversed([*zip(levels, CONTOURS, strict=False)]):
            if chart.p_values is not None and np.isfinite(chart.p_values).any():
                draw_outline(panel, chart.p_values > 1 - level, dash)
        _mark_best(panel, quantity.sign * chart.shown)
        label_cells(panel, axes, chart.title, layout.inches / across - 1.2)
    label, is_math = label_quantity(quantity.name)
    bar = figure.colorbar(image, ax=panels, shrink=0.95, extend="max" if is_cut else "neither")
    # As lines, for pgf cannot have images in a file without a name.
    if bar.solids is not None:
        bar.solids.set(rasterized=False, edgecolor="face", linewidth=0.3)
    bar.set_label(label, fontsize=SIZE)
    bar.ax.yaxis.label.set_parse_math(is_math)
    _set_bar_ticks(bar, scale)
    add_caption(figure, _describe_map(maps, levels, quantity), layout)
    return figure


def _find_scale(maps: Sequence[HeatMap]) -> tuple[Normalize, bool]:
    """The scale of all shades, and whether cells above it are cut off."""
    from matplotlib.colors import LogNorm, Normalize

    shown = np.concatenate([chart.shown.ravel() for chart in maps])
    shown = shown[np.isfinite(shown)]
    if not shown.size:
        return Normalize(0.0, 1.0), False
    # A run about to diverge would leave one shade for all others.
    usual = shown[np.abs(shown) <= LEFT_OUT * (np.median(np.abs(shown)) or 1.0)]
    low, high = float(usual.min()), float(usual.max())
    is_cut = usual.size < shown.size
    if low > 0 and np.log10(high / low) >= DECADES / 2:
        return LogNorm(low, high), is_cut
    return Normalize(low, high if high > low else low + (abs(low) or 1.0)), is_cut


def _set_bar_ticks(bar: Any, scale: Normalize) -> None:
    from matplotlib.colors import LogNorm

    low, high = float(scale.vmin or 0.0), float(scale.vmax or 1.0)
    if isinstance(scale, LogNorm):
        ticks = log_ticks(low, high)
        labels = format_ticks(ticks)
    else:
        ticks = linear_ticks(low, high)
        power = find_power(ticks)
        labels = [f"{x / 10.0**power:.6g}" for x in ticks]
        add_power(bar.ax.yaxis, power)
    bar.set_ticks(ticks, labels=labels)
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=SIZE)


def _mark_best(panel: Axes, values: Floats) -> None:
    if np.isfinite(values).any():
        row, column = np.unravel_index(np.nanargmin(values), values.shape)
        panel.plot([column + 0.5], [row + 0.5], color="white", zorder=6, **STAR)


def _describe_map(
    maps: Sequence[HeatMap], levels: Sequence[float], quantity: PlottedQuantity
) -> str:
    counts = [chart.replicas for chart in maps]
    parts = [describe_replicas(counts, 0.0, "shades", ""), f"star: the {quantity.best}"]
    if any(chart.p_values is not None and np.isfinite(chart.p_values).any() for chart in maps):
        dashes = ("solid", "dotted")[: len(levels)]
        percent = [f"{100 * level:g} % ({d})" for level, d in zip(levels, dashes, strict=False)]
        chance = " and ".join(percent) if len(levels) > 1 else f"{100 * levels[0]:g} %"
        least = f"truly {quantity.best} {quantity.compared}"
        parts.append(f"line: around the {least} with {chance} confidence")
    if any(chart.failed.any() for chart in maps):
        parts.append(f"hatched: {quantity.failure}")
    if any((np.isnan(chart.shown) & ~chart.failed).any() for chart in maps):
        parts.append("white: no point")
    return "; ".join(parts)
