"""Conversion of the values of NumPy and its relatives to those of Python."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np


def to_number(value: Any, kind: type) -> Any:
    """Return a value as a number of ``kind``, ``int`` or ``float``; None if it is no such number.

    Arrays without axes are numbers, bools are none, and a float is never rounded to a whole number.

    >>> to_number(np.int8(3), int), to_number(np.array(3), float), to_number(3.0, int)
    (3, 3.0, None)
    """
    number = _remove_array(value)
    # bool is an Integral, but ``P = true`` is a mistake.
    if isinstance(number, bool) or not isinstance(number, Integral if kind is int else Real):
        return None
    try:
        return kind(number)
    except OverflowError:  # a whole number beyond all floats
        return None


def is_real(value: Any) -> bool:
    """True if a value is a real number, of any size."""
    number = _remove_array(value)
    return isinstance(number, Real) and not isinstance(number, bool)


def is_row(value: Any) -> bool:
    """True if a value has an order and one axis: a list, a tuple, a range, an array.

    >>> [is_row(value) for value in ([1, 2], np.arange(2), np.eye(2), "12", {1, 2})]
    [True, True, False, False, False]
    """
    if _is_array(value):
        return getattr(value, "ndim", None) == 1
    # A text is a sequence too, of texts.
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def to_row(value: Any) -> Sequence[Any]:
    """Return the parts of a row, those of an array as numbers of Python."""
    # Masked numbers become None, which is no number.
    row: Sequence[Any] = np.asanyarray(value).tolist() if _is_array(value) else value
    return row


def _is_array(value: Any) -> bool:
    # Tensors of other libraries and columns of tables have this method too.
    return hasattr(type(value), "__array__")


def _remove_array(value: Any) -> Any:
    is_number = _is_array(value) and getattr(value, "ndim", None) == 0
    return np.asanyarray(value)[()] if is_number else value
