"""Layout of figures: their size, panels, axes and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, final

from kavg.errors import KavgError
from kavg.reports.figures.ticks import set_linear_ticks, set_log_ticks
from kavg.reports.figures.typography import (
    LINE,
    SIZE,
    fold_to_width,
    replace_missing_glyphs,
)
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS: Final[Mapping[str, float]] = {"column": 3.35, "page": 6.9}
"""Inches of a column and of a page of two columns, in most journals."""
QUANTITY_LABELS: Final[Mapping[str, str]] = {
    "grad_norm2": r"$\|\nabla F\|^2$",
    "F": "$F$",
    "dispersion": "dispersion of learners",
    "displacement_norm2": r"$\|d_n\|^2$",
    "lag_product": r"$\langle d_n, d_{n-1}\rangle$",
    "move_product": r"$\langle w_{n+1} - w_n, d_n\rangle$",
    "consensus2": "consensus distance²",
    "distance2": r"$\|w - w^\star\|^2$",
}
AXIS_LABELS: Final[Mapping[str, str]] = {
    "rounds": "rounds",
    "steps": "local steps, each learner",
    "gradients": "gradients, all learners",
    "communications": "communications",
    "seconds": "wall time in seconds",
}


@final
@dataclass(frozen=True)
class Layout:
    """The size of a figure, ``"column"`` (3.35 in) or ``"page"`` (6.9 in), and what stands above.

    ``title`` is the first line; ``note`` comes before the caption that kavg writes itself.

    Raises ``KavgError`` for another width.
    """

    width: str = "page"
    title: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise KavgError(f"width must be one of {', '.join(WIDTHS)}, got {self.width!r}")

    @property
    def inches(self) -> float:
        """The width of the figure."""
        return WIDTHS[self.width]

    def count_across(self, count: int) -> int:
        """Return the number of panels in a row: one in a column, three at most on a page."""
        if self.width == "column":
            return 1
        return 2 if count == 4 else min(count, 3)


PAGE: Final = Layout()


def new_figure(
    count: int, layout: Layout = PAGE, *, across: int | None = None, share: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with ``count`` panels, ``across`` in a row.

    With ``share`` all panels have the same axes, and only the outer ones name their ticks.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across = layout.count_across(count) if across is None else across
    down = ceil(count / across)
    each = layout.inches / across
    # Not by pyplot, which would open a display and hold every figure until it is closed.
    # Neither so low that ticks have no room, nor so high that a page holds one row.
    size = (layout.inches, down * min(max(0.75 * each, 1.75), 2.9))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(down, across, squeeze=False, sharex=share, sharey=share)
    for spare in grid.ravel()[count:]:
        spare.remove()
    panels: list[Axes] = list(grid.ravel()[:count])
    for panel in panels[-across:]:  # the last of a column, which may stand above a gap
        panel.tick_params(labelbottom=True)
    return figure, panels


def style_axes(
    panel: Axes, x_label: str, y_label: str, title: str = "", *, math: bool = True
) -> None:
    """Name the axes of a panel, with small type, a light grid and no frame above and on the right.

    ``math`` allows mathematics in the label of the y axis, which a user's own names must not have.
    """
    panel.set_xlabel(x_label, fontsize=SIZE)
    panel.set_ylabel(y_label, fontsize=SIZE, parse_math=math)
    panel.set_title(title, fontsize=SIZE, parse_math=False)
    panel.tick_params(which="both", labelsize=SIZE)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(linewidth=0.4, alpha=0.5)
    panel.set_axisbelow(True)  # lines of the grid would cross bars otherwise


def label_quantity(quantity: str, inches: float = 1.7) -> tuple[str, bool]:
    """Return the label of a quantity, and whether it is mathematics.

    >>> label_quantity("F")
    ('$F$', True)
    """
    if quantity in QUANTITY_LABELS:
        return QUANTITY_LABELS[quantity], True
    words = replace_missing_glyphs(quantity.replace("grad_norm2", "‖∇F‖²").replace("_", " "))
    return fold_to_width(words, inches, 2), False


def label_axes(panel: Axes, axis: str, quantity: str) -> None:
    """Style the axes of a quantity along a run; ``axis`` is one of ``kavg.trajectory.AXES``."""
    label, is_math = label_quantity(quantity)
    style_axes(panel, AXIS_LABELS[axis], label, math=is_math)
    low, high = panel.get_xlim()
    if high - low < 0.5:  # a single round
        panel.set_xlim(low - 0.5, high + 0.5)
    set_linear_ticks(panel.xaxis, *panel.get_xlim(), whole=axis != "seconds")
    set_ticks = set_log_ticks if panel.get_yscale() == "log" else set_linear_ticks
    set_ticks(panel.yaxis, *panel.get_ylim())


def add_caption(figure: Figure, text: str, layout: Layout = PAGE) -> None:
    """Write title, note and caption above all panels, and make the figure taller by their height.

    The caption explains lines, bands and points.
    """
    parts = [layout.title, "; ".join(filter(None, (layout.note, text)))]
    room = layout.inches - 0.1
    folded = [fold_to_width(replace_missing_glyphs(part), room) for part in parts if part]
    lines = "\n".join(folded)
    width, height = figure.get_size_inches()
    # Panels keep their height under a long caption too.
    figure.set_size_inches(width, height + LINE * (lines.count("\n") + 1))
    figure.suptitle(lines, fontsize=SIZE, parse_math=False)


def describe_means(
    trajectories: Sequence[Trajectory], level: float, mean: str, interval: str
) -> str:
    """Return a caption of means over replicas; ``mean`` and ``interval`` name what is drawn.

    >>> import numpy as np
    >>> z = np.zeros((1, 3))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": z}, z.T, z.T, np.zeros(1))
    >>> describe_means([run], 0.95, "lines", "bands")
    'lines: means of 3 replicas; bands: 95 % confidence intervals'
    """
    return describe_replicas([run.replicas for run in trajectories], level, mean, interval)


def describe_replicas(counts: Sequence[int], level: float, mean: str, interval: str) -> str:
    """Return a caption of means over so many replicas, and of their intervals if they are named.

    >>> describe_replicas([8, 32], 0.95, "points", "bars")
    'points: means of 8 to 32 replicas; bars: 95 % confidence intervals'
    """
    least, most = min(counts), max(counts)
    if most == 1:
        return f"{mean}: one replica"
    replicas = f"{least} to {most}" if least < most else f"{most}"
    shown = f"; {interval}: {100 * level:.4g} % confidence intervals" if interval else ""
    return f"{mean}: means of {replicas} replicas{shown}"


def select_quantities(wanted: Sequence[str], available: Sequence[str]) -> list[str]:
    """Return the names of the quantities to draw, as a list.

    Raises:
        KavgError: if there are none or one is not ``available``.
    """
    if not wanted or not set(wanted) <= set(available):
        raise KavgError(
            f"quantities must be one or more of {', '.join(available)}, got {list(wanted)}"
        )
    return list(dict.fromkeys(wanted))


def fold_title(title: str, inches: float) -> str:
    """Return the title of a panel, ``inches`` wide, on two lines at most."""
    return fold_to_width(replace_missing_glyphs(title), inches, 2) if title else ""
