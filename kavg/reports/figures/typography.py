"""Text in figures: its size, its width in inches, and the characters that the fonts can draw."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from kavg.text import escape_unprintable

SIZE: Final = 8.0
"""Points of all text; figures have their final size, so nothing is scaled."""
LINE: Final = 1.2 * SIZE / 72
"""Inches that a line of text takes."""
ELLIPSIS: Final = " ..."
_FAMILIES: Final = (
    "font.serif", "font.sans-serif", "font.cursive", "font.fantasy", "font.monospace",
)  # fmt: skip


def measure_width(text: str) -> float:
    """Return the width in inches of a line without mathematics, in type of ``SIZE`` points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=SIZE), False)
    return float(width) / 72


def fold_to_width(text: str, inches: float, most: int | None = None) -> str:
    """Break a text into lines of at most so many inches, and cut it after ``most`` lines.

    Lines break at blanks, and inside words that are wider than a line.
    """
    lines = list(_fill_lines(text, inches))
    if most is not None and len(lines) > most:
        last = lines[most - 1]
        last = last[: _count_fitting(last, inches - measure_width(ELLIPSIS))]
        lines[most - 1 :] = [last.rstrip() + ELLIPSIS]
    return "\n".join(lines)


def _fill_lines(text: str, inches: float) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if measure_width(longer) <= inches:
            line = longer
            continue
        if line:
            yield line
        while measure_width(word) > inches and len(word) > 1:
            fitting = _count_fitting(word, inches)
            yield word[:fitting]
            word = word[fitting:]
        line = word
    yield line


def _count_fitting(word: str, inches: float) -> int:
    # At least one character, or a line that is too narrow for any would never end.
    lengths = range(1, len(word) + 1)
    return max(1, bisect_right(lengths, inches, key=lambda n: measure_width(word[:n])))


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
    # matplotlib tries the fonts of a family in turn, so any of them will do.
    for family in list(rcParams["font.family"]):
        generic = f"font.{family}"
        fonts = rcParams[generic] if generic in _FAMILIES else [family]  # type: ignore[index]
        for name in fonts:
            try:
                path = font_manager.findfont(name, fallback_to_default=False)
            except ValueError:
                continue
            known.update(font_manager.get_font(path).get_charmap())
    return known or set(range(32, 127))
