"""Legend of a figure, for names of any length in any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from kavg.reports.figures.typography import (
    LINE,
    SIZE,
    fold_to_width,
    measure_width,
    replace_missing_glyphs,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

HANDLE: Final = 3.5
"""Length of a line sample, in sizes of the type."""
GAPS: Final = (HANDLE + 0.8 + 1.5) * SIZE / 72
"""Inches of a line sample with the gaps before its name and before the next column."""
WIDEST: Final = 3.0
"""Inches after which a name is folded."""
MOST_LINES: Final = 3


def add_legend(figure: Figure, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Add a legend of lines below the panels, and make the figure taller by its height.

    ``entries`` are names with the style of their lines, as arguments of ``plot``.
    """
    from matplotlib.lines import Line2D

    add_artist_legend(figure, [(name, Line2D([], [], **style)) for name, style in entries])


def add_artist_legend(figure: Figure, entries: Sequence[tuple[str, Artist]]) -> None:
    """Add a legend of lines or patches below the panels, and make the figure taller.

    It has as many columns as fit by the widths of their names.
    """
    width, height = figure.get_size_inches()
    room = min(WIDEST, width - GAPS)
    names = [fold_to_width(replace_missing_glyphs(name), room, MOST_LINES) for name, _ in entries]
    longest = max(measure_width(line) for name in names for line in name.split("\n"))
    # All columns are as wide as the longest name, so that entries stand in rows.
    across = max(1, int((width - 0.1) / (longest + GAPS)))
    rows = ceil(len(names) / across)
    lines = max(name.count("\n") + 1 for name in names)
    # Panels keep their height, however many names there are.
    figure.set_size_inches(width, height + rows * (lines * LINE + 0.06) + 0.1)
    legend = figure.legend(
        [artist for _, artist in entries],
        [str(place) for place in range(len(names))],
        loc="outside lower center",
        ncols=ceil(len(names) / rows),
        fontsize=SIZE,
        frameon=False,
        handlelength=HANDLE,
        columnspacing=1.5,
        borderpad=0.1,
    )
    # Names are set afterwards: a leading "_" would hide an entry and "$" would start mathematics.
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)
