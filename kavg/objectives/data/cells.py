"""Cells of a table of text: what is a number, what is missing, what is true or false."""

from __future__ import annotations

import math
import re
from typing import Final

MISSING: Final = frozenset(("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "?"))
"""Cells without a value, in small letters."""
BOOLEANS: Final = {"true": 1.0, "false": 0.0}
THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def parse_number(cell: str) -> float | None:
    """Return the number that a cell with a decimal point holds; None if it holds none.

    >>> parse_number(" 2.5e3 "), parse_number("1_0"), parse_number("nan"), parse_number("two")
    (2500.0, None, None, None)
    """
    try:
        value = float(cell)
    except ValueError:
        return None
    # Python allows 1_0, and reads nan; infinities are numbers, but too large.
    return None if "_" in cell or math.isnan(value) else value


def parse_decimal_comma(cell: str) -> float | None:
    """Return the number that a cell with a decimal comma holds; None if it has none, or a point.

    >>> parse_decimal_comma("2,5"), parse_decimal_comma("2.5"), parse_decimal_comma("1,234,567")
    (2.5, None, None)
    """
    if cell.count(",") != 1 or "." in cell:
        return None
    return parse_number(cell.replace(",", "."))


def may_be_thousands(cell: str) -> bool:
    """True if the comma of a cell may be a decimal comma or one that marks thousands.

    >>> may_be_thousands("1,234"), may_be_thousands("0,234"), may_be_thousands("1,23")
    (True, False, False)
    """
    return THOUSANDS.fullmatch(cell.strip()) is not None


def is_missing(cell: str) -> bool:
    """True if a cell has no value: empty, NA, NaN, null, None or a question mark.

    >>> is_missing(" "), is_missing("N/A"), is_missing("0")
    (True, True, False)
    """
    return cell.strip().lower() in MISSING


def is_value(cell: str) -> bool:
    """True if a cell holds a number, with a decimal point or comma, or true or false.

    >>> is_value("1,5"), is_value("True"), is_value("setosa"), is_value("")
    (True, True, False, False)
    """
    return (
        parse_number(cell) is not None
        or parse_decimal_comma(cell) is not None
        or cell.strip().lower() in BOOLEANS
    )
