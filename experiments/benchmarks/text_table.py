"""A table as plain text of at most 100 columns, or in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

WIDTH: Final = 100


@final
@dataclass(frozen=True)
class Grid:
    """A title, what the numbers are, a header, rows of cells, and notes.

    >>> grid = Grid("halves", "in metres", ("of", "half"), (("1", "0.5"), ("2.5", "1.25")), ())
    >>> print(grid.text())
    halves
      in metres
      of   half
      1     0.5
      2.5  1.25
    >>> print(grid.markdown())
    **halves** (in metres)
    <BLANKLINE>
    | of | half |
    |---|--:|
    | 1 | 0.5 |
    | 2.5 | 1.25 |
    """

    title: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]

    def text(self) -> str:
        """Aligned columns, the first to the left."""
        table = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [*wrapped(self.title, ""), *wrapped(self.caption, "  ")]
        for row in table:
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True)]
            lines.append("  " + "  ".join(cells).rstrip())
        return "\n".join([*lines, *(line for note in self.notes for line in wrapped(note, "  "))])

    def markdown(self) -> str:
        """A title in bold, a table, a list of notes."""
        rule = "|---|" + "--:|" * (len(self.header) - 1)
        lines = [f"**{self.title}** ({self.caption})", "", piped(self.header), rule]
        lines += map(piped, self.rows)
        return "\n".join([*lines, *([""] if self.notes else []), *(f"- {n}" for n in self.notes)])


def piped(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def wrapped(words: str, indent: str) -> list[str]:
    """Lines no wider than ``WIDTH``."""
    return textwrap.wrap(words, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
