"""Cells of a grid of two settings, one for each point, whatever the values of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.reports.figures.layout import fold_title, style_axes
from kavg.reports.figures.sweeps.setting_axis import VariedAxis, set_setting_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCH: Final[dict[str, Any]] = {
    "facecolor": "white", "edgecolor": "0.45", "hatch": "xxxx", "linewidth": 0.0,
}  # fmt: skip
"""Style of cells without a value."""


def check_maps(shapes: Sequence[tuple[int, ...]], axes: tuple[VariedAxis, VariedAxis]) -> None:
    """Raise KavgError unless there is a map and all have a row for each y, a column for each x."""
    x, y = axes
    wanted = (len(y.values), len(x.values))
    if not shapes or any(shape != wanted for shape in shapes):
        raise KavgError(
            f"give one or more maps of {wanted[0]} rows ({y.name}) and {wanted[1]} columns "
            f"({x.name}), got shapes {list(shapes)}"
        )


def draw_cells(panel: Axes, chosen: NDArray[np.bool_], style: dict[str, Any]) -> None:
    """Cover the chosen cells of a grid with rectangles of a style."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    cells = [Rectangle((j, i), 1, 1) for i, j in np.argwhere(chosen)]
    if cells:
        panel.add_collection(PatchCollection(cells, **style))


def draw_outline(panel: Axes, inside: NDArray[np.bool_], dash: object) -> None:
    """Draw the border between the cells inside and all others, along the edges of cells."""
    from matplotlib.collections import LineCollection

    # Cells beyond the edge are outside, so the border is closed.
    padded = np.pad(inside, 1)
    upright = [((j, i - 1), (j, i)) for i, j in np.argwhere(padded[:, 1:] != padded[:, :-1])]
    level = [((j - 1, i), (j, i)) for i, j in np.argwhere(padded[1:] != padded[:-1])]
    # Dark over light, to be seen on any shade.
    for colour, width, style in (("white", 2.8, "-"), ("black", 1.3, dash)):
        lines = LineCollection(
            upright + level, colors=colour, linewidths=width, linestyles=[style], zorder=4
        )
        lines.set_clip_on(False)
        panel.add_collection(lines)


def label_cells(
    panel: Axes, axes: tuple[VariedAxis, VariedAxis], title: str, inches: float
) -> None:
    """Name the axes of a grid of cells, ``inches`` wide, and label the middle of cells."""
    x, y = axes
    style_axes(panel, x.label[0], y.label[0], fold_title(title, inches), math=y.label[1])
    panel.xaxis.label.set_parse_math(x.label[1])
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.set_xlim(0, len(x.values))
    panel.set_ylim(0, len(y.values))
    set_setting_ticks(panel.xaxis, x, inches, cells=True)
    set_setting_ticks(panel.yaxis, y, 1.4, cells=True, upright=True)
    panel.tick_params(length=2)
