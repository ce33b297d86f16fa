"""The dialect of a table of text: its separator, its header and the width of its lines."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, final

from kavg.errors import KavgError
from kavg.objectives.data.cells import is_missing, is_value, parse_number
from kavg.objectives.data.data_file import SEPARATORS, DataFile

SAMPLE: Final = 100
"""Lines from which the dialect is found out."""
MARKS: Final = ",;\t|"
"""Separators that are rare in texts."""
NO_COLUMNS: Final = (-2.0, 0, 0)
"""The score of a separator that is in no line."""


@final
@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    ``width`` counts the columns, an empty one after a separator at the end of each line left out;
    ``names`` are those of the header, one a column, or () without a header.
    """

    separator: str
    width: int
    names: tuple[str, ...]
    has_end: bool = False

    def split(self, line: str) -> list[str]:
        """Return the cells of a line, as many as it has."""
        return split_line(line, self.separator, has_end=self.has_end)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as in a plain .csv file."""
        found = [] if self.separator == "," else [f"separated by {SEPARATORS[self.separator]}"]
        return (*found, *([] if self.names else ["no header"]))


def split_line(line: str, separator: str, *, has_end: bool = False) -> list[str]:
    r"""Return the cells of a line without quotes; ``has_end`` drops an empty last one.

    Raises KavgError if a quote does not end on the line.

    >>> split_line('1, "a, b",\n', ",", has_end=True), split_line(" 1  2\n", " ")
    (['1', 'a, b'], ['1', '2'])
    """
    line = line.rstrip("\r\n")
    if separator == " ":
        line = line.replace("\t", " ").strip()
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise KavgError(f"has quotes that do not fit ({error})") from None
    if has_end and cells and not cells[-1].strip():
        cells.pop()
    return cells


def find_dialect(lines: Sequence[str], choices: DataFile) -> Dialect:
    """Return the dialect of a table from its first lines, of which there is at least one.

    Raises KavgError if it has one column only, or if the first line may be a header or not.
    """
    separator = choices.separator or _find_separator(lines)
    rows = [*_split_all(lines, separator)]
    width = _usual_width(rows)
    has_end = _has_end(rows, width)
    if has_end:
        width, rows = width - 1, [row[: width - 1] for row in rows]
    if width < 2:
        raise KavgError(
            f"its lines have one column, as {lines[-1][:40].strip()!r}; needed are at least one "
            f"feature and a label, separated by {', '.join(map(repr, SEPARATORS))}"
        )
    first, *rest = rows
    is_from_r = bool(rest) and separator in " \t" and len(first) == width - 1
    if is_from_r and not any(map(is_value, first)):
        first = ["", *first]  # R leaves out the name of its column of names
    is_header = _is_header(first, rest, choices) if choices.header is None else choices.header
    names = tuple(cell.strip() for cell in first) if is_header else ()
    if names and len(names) != width:
        raise KavgError(f"the header has {len(names)} columns where the examples have {width}")
    return Dialect(separator, width, names, has_end)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    # Without the first, which may be a header.
    return Counter(map(len, rows[1:] or rows)).most_common(1)[0][0]


def _has_end(rows: Sequence[Sequence[str]], width: int) -> bool:
    """True if a separator follows the last cell of each line, as some programs write it."""
    if width <= 2:
        return False
    ends = [row[-1].strip() for row in rows if len(row) == width]
    return len(ends) >= len(rows) - 1 and not any(ends)


def _split_all(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    for line in lines:
        try:
            yield split_line(line, separator)
        except KavgError:
            yield []  # reported with its number when it is read


def _find_separator(lines: Sequence[str]) -> str:
    """Return the separator that makes most of the cells numbers, and fewest of them mixed texts.

    If several do, that which leaves the fewest texts with another separator in them, then that on
    which most lines agree.  Raises KavgError if two that part the lines differently still stand, as
    commas and blanks do in ``1,5 oak``.
    """
    scores = {separator: _score(lines, separator) for separator in SEPARATORS}
    best = max(scores.values())
    if best == NO_COLUMNS:
        return ","
    first, *others = (separator for separator, score in scores.items() if score == best)
    rows = [*_split_all(lines, first)]
    others = [other for other in others if [*_split_all(lines, other)] != rows]
    if others:
        raise KavgError(
            f"its lines, as {lines[-1][:40].strip()!r}, may be separated by {SEPARATORS[first]} or "
            f"by {SEPARATORS[others[0]]}; say which, as in data = {{ kind = 'file', path = '...', "
            f"separator = {others[0]!r} }}"
        )
    return first


def _score(lines: Sequence[str], separator: str) -> tuple[float, int, int]:
    rows = [*_split_all(lines, separator)]
    width, rest = _usual_width(rows), rows[1:] or rows
    if width < 2:
        return NO_COLUMNS
    cells = [cell for row in rest for cell in row]
    texts = [cell for cell in cells if not is_value(cell) and not is_missing(cell)]
    mixed = sum(any(mark in text for mark in MARKS if mark != separator) for text in texts)
    agreeing = sum(len(row) == width for row in rows)
    # A text with another separator in it counts twice: it shows that this one is wrong.
    return round(1 - (len(texts) + mixed) / len(cells), 2), -mixed, agreeing


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]], choices: DataFile) -> bool:
    cells = [cell.strip() for cell in first]
    texts = [i for i, c in enumerate(cells) if not is_value(c) and not is_missing(c)]
    if not any(map(is_value, cells)):
        return bool(texts)
    if choices.label in cells or (_counts_columns(cells[1:]) and not cells[0]):
        return True
    over_numbers = any(_holds_numbers(rest, i) for i in texts)
    if not over_numbers and not (rest and _counts_columns(cells)):
        return False
    if over_numbers and _counts_columns(cells):
        return True
    raise KavgError(
        f"the first line, {','.join(cells)[:60]!r}, may name the columns or be an example; say "
        "header = true or false, as in data = { kind = 'file', path = '...', header = true }"
    )


def _counts_columns(cells: Sequence[str]) -> bool:
    """True if cells are 0, 1, 2, ..., as pandas names columns; the last may be a name."""
    *numbers, last = (parse_number(cell) for cell in cells)
    if last is not None:
        numbers.append(last)
    return len(numbers) > 2 and numbers == [float(i) for i in range(len(numbers))]


def _holds_numbers(rows: Sequence[Sequence[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and not is_missing(row[column])]
    return bool(cells) and all(map(is_value, cells))
