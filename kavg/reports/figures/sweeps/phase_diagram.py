"""Figure of which method wins where: a cell for each pair of settings, hatched where undecided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.reports.figures.layout import PAGE, Layout, add_caption, describe_replicas, new_figure
from kavg.reports.figures.legend import add_artist_legend
from kavg.reports.figures.style import use_default_style
from kavg.reports.figures.sweeps.cells import HATCH, check_maps, draw_cells, label_cells
from kavg.reports.figures.sweeps.setting_axis import VariedAxis

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES: Final = ("#0B2545", "#F2D479", "#A63D57", "#7FBFB3", "#C27B2E", "#EFEFEF", "#4B2E83")
"""Colours of methods in cells, in steps of lightness."""
PATTERNS: Final = ("", "..", "++")
"""Patterns of the first, second and third seven methods."""
NOBODY: Final = -1


@final
@dataclass(frozen=True, eq=False)
class PhaseMap:
    """The winner of each cell, ``(rows, columns)``: its place in the names, or ``NOBODY``.

    ``decided`` is false where the difference to the next is not significant; ``failed`` is true
    where the runs of all methods failed; ``replicas`` is the number over which they are compared.
    """

    title: str
    winner: NDArray[np.intp]
    decided: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    replicas: int = 1


@use_default_style()
def phase_figure(
    maps: Sequence[PhaseMap],
    axes: tuple[VariedAxis, VariedAxis],
    names: Sequence[str],
    level: float = 0.95,
    layout: Layout = PAGE,
) -> Figure:
    """Draw which of the methods ``names`` wins over two settings ``axes`` (x, y), a panel a map.

    A cell has the colour of its winner, paler and hatched where the winner is not decided at
    ``level``.

    Raises:
        KavgError: if there is no map or no name, or a map has another shape or another winner.

    >>> won = np.array([[0, 1], [0, -1]])
    >>> chart = PhaseMap("", won, won == 0, won == -1)
    >>> axes = VariedAxis("K", (1, 8)), VariedAxis("P", (1, 16))
    >>> figure = phase_figure([chart], axes, ["K-AVG", "M-AVG"])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['K-AVG', 'M-AVG', 'undecided', 'all failed']
    """
    check_maps([each.winner.shape for each in maps], axes)
    if any(each.winner.max() >= len(names) or each.winner.min() < NOBODY for each in maps):
        raise KavgError(f"winners must be from 0 to {len(names) - 1}, or {NOBODY} for nobody")
    across = layout.count_across(len(maps))
    figure, panels = new_figure(len(maps), layout, across=across)
    for panel, chart in zip(panels, maps, strict=True):
        _draw_winners(panel, chart, len(names))
        label_cells(panel, axes, chart.title, layout.inches / across - 0.9)
    add_artist_legend(figure, list(_entries(maps, names)))
    counts = [each.replicas for each in maps]
    parts = [
        "colour: the method with the best mean",
        describe_replicas(counts, 0.0, "compared", ""),
    ]
    if any((~each.decided & (each.winner >= 0)).any() for each in maps):
        parts.append(f"hatched: not decided at {100 * level:g} %")
    add_caption(figure, "; ".join(parts), layout)
    return figure


def _draw_winners(panel: Axes, chart: PhaseMap, count: int) -> None:
    for place in range(count):
        won = chart.winner == place
        draw_cells(panel, won & chart.decided, _decided_style(place))
        draw_cells(panel, won & ~chart.decided, _open_style(place))
    draw_cells(panel, chart.failed, HATCH)


def _decided_style(place: int) -> dict[str, Any]:
    colour = SHADES[place % len(SHADES)]
    pattern = PATTERNS[place // len(SHADES) % len(PATTERNS)]
    return {"facecolor": colour, "edgecolor": "white", "hatch": pattern, "linewidth": 0.4}


def _open_style(place: int) -> dict[str, Any]:
    from matplotlib.colors import to_hex, to_rgb

    colour = SHADES[place % len(SHADES)]
    red, green, blue = (0.45 * part + 0.55 for part in to_rgb(colour))
    pale = to_hex((red, green, blue))
    return {"facecolor": pale, "edgecolor": "white", "hatch": "////", "linewidth": 0.4}


def _entries(maps: Sequence[PhaseMap], names: Sequence[str]) -> list[tuple[str, Artist]]:
    from matplotlib.patches import Patch

    entries: list[tuple[str, Artist]] = [
        (name, Patch(**_decided_style(place))) for place, name in enumerate(names)
    ]
    if any((~each.decided & (each.winner >= 0)).any() for each in maps):
        entries.append(("undecided", Patch(facecolor="0.8", edgecolor="white", hatch="////")))
    if any(each.failed.any() for each in maps):
        entries.append(("all failed", Patch(**HATCH)))
    return entries
