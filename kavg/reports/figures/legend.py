"""Legend of a figure, for names of any length in any script."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from kavg.reports.text import cell_width
from kavg.text import escape_unprintable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GENERIC_FAMILIES: Final = (
    "font.serif", "font.sans-serif", "font.cursive", "font.fantasy", "font.monospace",
)  # fmt: skip
PER_INCH: Final = 13
"""Characters of the legend's type that an inch holds."""
HANDLE: Final = 7
"""Width of a line sample with its margins, in characters."""


def add_legend(figure: Figure, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Add a legend below the panels, and make the figure taller by its height.

    ``entries`` are names with the style of their lines, as arguments of ``plot``.
    """
    from matplotlib.lines import Line2D

    # matplotlib neither wraps names nor counts columns, so both are estimated from characters.
    names = [_fold_name(name) for name, _ in entries]
    width, height = figure.get_size_inches()
    longest = max(cell_width(line) for name in names for line in name.split("\n"))
    across = max(1, int(width * PER_INCH / (longest + HANDLE)))
    rows = ceil(len(names) / across)
    lines = max(name.count("\n") + 1 for name in names)
    figure.set_size_inches(width, height + 0.5 + 0.16 * rows * lines)
    legend = figure.legend(
        [Line2D([], [], **style) for _, style in entries],
        [str(place) for place in range(len(names))],
        loc="outside lower center",
        ncols=ceil(len(names) / rows),
        fontsize=8,
        frameon=False,
        handlelength=3.5,
    )
    # Names are set afterwards: a leading "_" would hide an entry and "$" would start mathematics.
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)


def _fold_name(name: str) -> str:
    return textwrap.fill(replace_missing_glyphs(name), 40, max_lines=3, placeholder=" ...")


def replace_missing_glyphs(text: str) -> str:
    """Spell out the characters that the fonts in use cannot draw, and control characters.

    >>> replace_missing_glyphs("mu = 0.5" + chr(0x4E2D))
    'mu = 0.5U+4E2D'
    """
    known = _drawable_characters()
    return "".join(c if ord(c) in known else f"U+{ord(c):04X}" for c in escape_unprintable(text))


def _drawable_characters() -> set[int]:
    from matplotlib import font_manager, rcParams

    known: set[int] = set()
    for family in list(rcParams["font.family"]):
        generic = f"font.{family}"
        fonts = rcParams[generic] if generic in GENERIC_FAMILIES else [family]  # type: ignore[index]
        for name in fonts:
            try:
                path = font_manager.findfont(name, fallback_to_default=False)
            except ValueError:
                continue
            known.update(font_manager.get_font(path).get_charmap())
    return known or set(range(32, 127))
