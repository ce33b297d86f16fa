"""The legend of a picture, whatever the names of the algorithms are."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from kavg.reports.figures.curves import style
from kavg.reports.text import cell_width, escape_unprintable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GENERIC = ("font.serif", "font.sans-serif", "font.cursive", "font.fantasy", "font.monospace")


def legend(figure: Figure, names: Sequence[str]) -> None:
    """Name the curves below the panels, and make the figure taller by what that takes."""
    from matplotlib.lines import Line2D

    entries = [textwrap.fill(readable(x), 40, max_lines=3, placeholder=" ...") for x in names]
    width, height = figure.get_size_inches()
    longest = max(cell_width(line) for entry in entries for line in entry.split("\n"))
    fit = max(1, int(width * 13 / (longest + 7)))
    rows = ceil(len(names) / fit)
    lines = max(entry.count("\n") + 1 for entry in entries)
    figure.set_size_inches(width, height + 0.5 + 0.16 * rows * lines)
    handles = [Line2D([], [], **style(i)) for i in range(len(names))]
    box = figure.legend(
        handles,
        [str(i) for i in range(len(names))],
        loc="outside lower center",
        ncols=ceil(len(names) / rows),
        fontsize=8,
        frameon=False,
        handlelength=3.5,
    )
    # Names are set afterwards: a leading "_" would hide an entry and "$" would start mathematics.
    for text, entry in zip(box.get_texts(), entries, strict=True):
        text.set(text=entry, parse_math=False)


def readable(text: str) -> str:
    """Spell out the letters that the reader's chosen fonts cannot draw.

    >>> readable("mu = 0.5" + chr(0x4E2D))
    'mu = 0.5U+4E2D'
    """
    known = _letters()
    return "".join(c if ord(c) in known else f"U+{ord(c):04X}" for c in escape_unprintable(text))


def _letters() -> set[int]:
    from matplotlib import font_manager, rcParams

    known: set[int] = set()
    for family in list(rcParams["font.family"]):
        generic = f"font.{family}"
        for name in rcParams[generic] if generic in GENERIC else [family]:  # type: ignore[index]
            try:
                path = font_manager.findfont(name, fallback_to_default=False)
            except ValueError:
                continue
            known.update(font_manager.get_font(path).get_charmap())
    return known or set(range(32, 127))
