"""Horizontal lines to compare curves with: a target, and exact stationary values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from kavg.reports.figures.curves import Curve
from kavg.reports.figures.style import COLOURS, drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TARGET: Final[dict[str, Any]] = {"color": "0.35", "linestyle": (0, (7, 3)), "linewidth": 1.0}
LIMIT: Final[dict[str, Any]] = {"color": "0.35", "linestyle": (0, (1, 1.6)), "linewidth": 1.3}


@final
@dataclass(frozen=True)
class ReferenceLine:
    """A value of a quantity with its name in the legend.

    ``place`` is that of the run whose exact stationary value it is, drawn in its colour; None for a
    target of all.
    """

    quantity: str
    value: float
    name: str = "target"
    place: int | None = None

    @property
    def style(self) -> dict[str, Any]:
        """Colour and dash."""
        if self.place is None:
            return TARGET
        return LIMIT | {"color": COLOURS[self.place % len(COLOURS)]}

    @property
    def curve(self) -> Curve:
        """The line as a curve of one point, by which axes are scaled."""
        value = drawable([self.value])
        return Curve(np.zeros(1), value, value, value)


def draw_lines(panel: Axes, lines: Sequence[ReferenceLine], quantity: str) -> None:
    """Draw the lines of a quantity across a panel; those that its axis cannot show are left out."""
    for line in lines:
        if line.quantity == quantity:
            value = drawable([line.value], log=panel.get_yscale() == "log")[0]
            if np.isfinite(value):
                panel.axhline(value, zorder=2.5, **line.style)


def line_entries(lines: Sequence[ReferenceLine]) -> list[tuple[str, dict[str, Any]]]:
    """Return the legend's entries of lines: each name once, stationary values without a colour."""
    # Lines of a name are told apart by the colours of their curves.
    entries = {line.name: TARGET if line.place is None else LIMIT for line in lines}
    return list(entries.items())
