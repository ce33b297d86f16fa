"""A table of numbers as plain text of at most 100 columns, or in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.reports.text import align_columns, wrap_text

WIDTH: Final = 100


@final
@dataclass(frozen=True)
class TextTable:
    """A title, a caption that says what the numbers are, a header, rows of cells, and notes.

    >>> halves = TextTable("halves", "in metres", ("of", "half"), (("1", "0.5"), ("2.5", "1.25")))
    >>> print(halves.text())
    halves
      in metres
      of   half
      1     0.5
      2.5  1.25
    >>> print(halves.markdown())
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
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Aligned columns, the first to the left and the numbers to the right."""
        lines = wrap_text(self.title, WIDTH, hanging=2)
        lines += wrap_text(self.caption, WIDTH, indent=2, hanging=2)
        lines += align_columns([self.header, *self.rows], WIDTH, flexible=0, numeric=True)
        for note in self.notes:
            lines += wrap_text(note, WIDTH, indent=2, hanging=2)
        return "\n".join(lines)

    def markdown(self) -> str:
        """A title in bold, a table, a list of notes."""
        rule = "|---|" + "--:|" * (len(self.header) - 1)
        lines = [f"**{self.title}** ({self.caption})", "", _markdown_row(self.header), rule]
        lines += map(_markdown_row, self.rows)
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
