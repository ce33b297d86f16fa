"""Reader of the examples of a table of text, line by line."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final, final

from kavg.errors import KavgError
from kavg.objectives.data.cells import (
    BOOLEANS,
    is_missing,
    may_be_thousands,
    parse_decimal_comma,
    parse_number,
)
from kavg.objectives.data.dialect import Dialect
from kavg.objectives.data.table_columns import ColumnRoles, describe_column

TOO_LARGE: Final = "which is infinite or too large for a number of 64 bits"


@final
class TableReader:
    """Collects the examples of a table, and everything in it that is no number.

    ``values`` are the features of one example after the other, ``labels`` and ``lines`` hold the
    label and the line of each.  ``incomplete`` are the lines that miss a value; they are not
    collected.  ``missing``, ``booleans`` and ``texts`` count such cells by column, and
    ``first_text`` has the line and the content of the first text.  ``decimal`` is the decimal sign,
    and ``is_unclear`` is true while all decimal commas may mark thousands.
    """

    def __init__(self, dialect: Dialect, roles: ColumnRoles) -> None:
        self.dialect, self.roles = dialect, roles
        self.values, self.labels, self.lines = array("d"), list[str](), array("q")
        self.incomplete = array("q")
        self.missing: Counter[int] = Counter()
        self.booleans: Counter[int] = Counter()
        self.texts: Counter[int] = Counter()
        self.first_text: dict[int, tuple[int, str]] = {}
        self.decimal: str | None = None
        self.is_unclear = True
        self._pick = _picker(roles.features)

    def add_line(self, number: int, line: str) -> None:
        """Add one example; raises KavgError if it has too few or too many columns."""
        row = self._split(number, line)
        cells, label = self._pick(row), row[self.roles.label].strip()
        values = self._convert_plain(cells, line)
        if values is None:
            values = [*self._convert_cells(number, cells)]
        lost = [i for i, x in zip(self.roles.features, values, strict=True) if math.isnan(x)]
        # "None" may be the name of a class.
        if is_missing(label) and label.lower() != "none":
            lost.append(self.roles.label)
        if lost:
            self.incomplete.append(number)
            self.missing.update(lost)
            return
        self.values.extend(values)
        self.labels.append(label)
        self.lines.append(number)

    def _split(self, number: int, line: str) -> list[str]:
        try:
            row = self.dialect.split(line)
        except KavgError as error:
            raise KavgError(f"line {number} {error}") from None
        if len(row) != self.dialect.width:
            raise KavgError(
                f"line {number} has {len(row)} columns where the others have {self.dialect.width}"
            )
        return row

    def _convert_plain(self, cells: Sequence[str], line: str) -> list[float] | None:
        """The numbers of a line that has nothing but finite numbers with decimal points.

        It takes a fifth of the time of looking at each cell.
        """
        if self.decimal == "," or "_" in line:
            return None
        try:
            values = [*map(float, cells)]
        except ValueError:
            return None
        if not math.isfinite(sum(values)):
            return None
        if self.decimal is None and "." in line and any("." in cell for cell in cells):
            self.decimal = "."
        return values

    def _convert_cells(self, number: int, cells: Sequence[str]) -> Iterator[float]:
        for place, cell in zip(self.roles.features, cells, strict=True):
            yield self._convert_cell(number, place, cell.strip())

    def _convert_cell(self, number: int, place: int, cell: str) -> float:
        """The number in a cell; NaN where it is missing, 0 for text, which is counted."""
        value = self.parse(cell)
        if value is not None and math.isinf(value):
            where = self.describe(place)
            raise KavgError(f"line {number} has {cell[:40]!r} in {where}, {TOO_LARGE}")
        if value is not None:
            return value
        if is_missing(cell):
            return math.nan
        if (truth := BOOLEANS.get(cell.lower())) is not None:
            self.booleans[place] += 1
            return truth
        self.texts[place] += 1
        self.first_text.setdefault(place, (number, cell))
        return 0.0

    def parse(self, cell: str) -> float | None:
        """Return the number in a cell, by the decimal sign that the table has shown so far."""
        if (value := parse_number(cell)) is not None:
            if "." in cell and self.decimal == ",":
                return None
            self.decimal = "." if "." in cell else self.decimal
            return value
        # Between commas, a cell with a comma is in quotes, and these mark thousands.
        has_commas = self.decimal != "." and self.dialect.separator != ","
        value = parse_decimal_comma(cell) if has_commas else None
        if value is not None:
            self.decimal = ","
            self.is_unclear = self.is_unclear and may_be_thousands(cell)
        return value

    def describe(self, place: int) -> str:
        """Name a column by its place, and by its name in the header."""
        return describe_column(self.dialect.names, place)


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    if len(places) > 1:
        return itemgetter(*places)
    # itemgetter of one place returns no tuple.
    return lambda row: (row[places[0]],)
