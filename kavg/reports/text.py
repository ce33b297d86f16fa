"""Paragraphs and tables as plain text of a fixed width, the same in a pipe as in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from kavg.text import escape_unprintable

if TYPE_CHECKING:
    from rich.console import Console

GAP: Final = 2
"""Blanks between two columns."""
NARROWEST: Final = 12
"""Least width of the column in which text is wrapped, even if lines get longer than asked."""


def cell_width(text: str) -> int:
    """Return the number of terminal cells of a text: two a wide character, none a combining one."""
    from rich.cells import cell_len

    return cell_len(text)


# rich is imported where it is used: a program that prints nothing does not load it.


def wrap_text(text: str, width: int, indent: int = 0, hanging: int = 0) -> list[str]:
    """Break a text into lines of at most ``width`` cells; nothing is cut off.

    Lines break at blanks, and inside words that are longer than a line.  All are indented by
    ``indent`` blanks, and all but the first by ``hanging`` more.

    >>> wrap_text("files   all as they were written", width=24, hanging=8)
    ['files   all as', '        they were', '        written']
    """
    from rich.text import Text

    if indent + cell_width(text) <= width:
        return [(" " * indent + text).rstrip()]
    # Wrapped as if all lines were hanging, as rich has one width for all lines of a text.
    lines = Text(text).wrap(_console(width), width - indent - hanging, overflow="fold")
    blanks = [indent] + [indent + hanging] * (len(lines) - 1)
    return [(" " * n + line.plain).rstrip() for n, line in zip(blanks, lines, strict=True)]


def fold_line(line: str, width: int = 100, hanging: int = 8) -> str:
    """Escape and wrap one line of output, with a hanging indent.

    >>> print(fold_line("files   all as they were written", width=28))
    files   all as they
            were written
    """
    return "\n".join(wrap_text(escape_unprintable(line), width, hanging=hanging))


def align_columns(
    rows: Iterable[Sequence[str]],
    width: int,
    *,
    indent: int = 2,
    flexible: int = -1,
    numeric: bool = False,
) -> list[str]:
    r"""Lay out rows of cells in columns, with ``GAP`` blanks between them.

    The ``flexible`` column is wrapped so that lines take ``width`` cells; the others are as wide
    as their longest cell.  Where it takes several lines, columns before it are printed on its first
    line and columns after it on its last.  ``numeric`` aligns all columns but the first to the
    right.

    >>> rows = [("K-AVG", "0.5"), ("a name that is far too long", "0.25")]
    >>> print(*align_columns(rows, width=30, flexible=0), sep="\n")
      K-AVG                   0.5
      a name that is far too
      long                    0.25
    """
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]  # rows may be an iterator, and are gone through twice
    if not cells:
        return []
    sizes = [max(map(cell_width, column)) for column in zip(*cells, strict=True)]
    flexible %= len(sizes)
    room = width - indent - GAP * (len(sizes) - 1) - sum(sizes) + sizes[flexible]
    table = Table.grid(padding=(0, GAP))
    for place in range(len(sizes)):
        table.add_column(
            justify="right" if numeric and place > 0 else "left",
            vertical="bottom" if place > flexible else "top",
            no_wrap=place != flexible,
            overflow="fold",
            max_width=max(room, NARROWEST) if place == flexible else None,
        )
    for row in cells:
        # A plain string would be parsed as markup, in which [bold] and :smile: are replaced.
        table.add_row(*map(Text, row))
    # The console is wider than any table: rich crops what does not fit into a narrow one.
    lines = _console(100_000).render_lines(table, pad=False)
    return [(" " * indent + "".join(part.text for part in line)).rstrip() for line in lines]


def _console(width: int) -> Console:
    from rich.console import Console

    return Console(width=width, legacy_windows=False)
