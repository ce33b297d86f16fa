"""Numbers as unevaluated sums of two float64, some 104 bits: for tables that are made once.

A pair ``(high, low)`` stands for ``high + low`` with ``|low|`` at most half a last place of
``high``.  Every operation is exact or rounded by IEEE 754, and none needs a fused product.

Source: Dekker 1971 (products), Knuth, The Art of Computer Programming 2, 4.2.2 (sums).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import numpy as np

from kavg.base import Floats

Pair = tuple[Floats, Floats]

SPLITTER: Final = 2.0**27 + 1.0
"""A product with it parts 53 bits into two halves of 26."""


def pair_of(numbers: Iterable[Decimal]) -> Pair:
    """Return numbers to some 106 bits.

    >>> high, low = pair_of([Decimal("0.1")])
    >>> float(high[0]), float(low[0])
    (0.1, -5.551115123125783e-18)
    """
    numbers = list(numbers)
    high = [float(number) for number in numbers]
    low = [float(number - Decimal(part)) for number, part in zip(numbers, high, strict=True)]
    return np.array(high), np.array(low)


def multiply_exactly(a: Floats, b: Floats) -> Pair:
    """Return ``a b`` without error, for factors and products far from overflow and underflow.

    >>> high, low = multiply_exactly(np.array(0.1), np.array(0.1))
    >>> float(high), float(low)
    (0.010000000000000002, -8.326672684688674e-19)
    """
    product = a * b
    (a1, a2), (b1, b2) = _split(a), _split(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _split(a: Floats) -> Pair:
    scaled = SPLITTER * a
    upper = scaled - (scaled - a)
    return upper, a - upper


def multiply_pairs(x: Pair, y: Pair) -> Pair:
    """Return ``x y`` with a relative error below 2^-101."""
    product, rest = multiply_exactly(x[0], y[0])
    return _normalise(product, rest + (x[0] * y[1] + x[1] * y[0]))


def divide_pairs(x: Pair, y: Pair) -> Pair:
    """Return ``x / y`` with a relative error below 2^-100."""
    quotient = x[0] / y[0]
    product, rest = multiply_exactly(quotient, y[0])
    remainder = ((x[0] - product) - rest) + (x[1] - quotient * y[1])
    return _normalise(quotient, remainder / y[0])


def add_pairs(x: Pair, y: Pair) -> Pair:
    """Return ``x + y`` with an error below 2^-103 of the larger of ``|x|`` and ``|y|``."""
    total = x[0] + y[0]
    part = total - x[0]
    rest = (x[0] - (total - part)) + (y[0] - part)
    return _normalise(total, rest + (x[1] + y[1]))


def _normalise(high: Floats, low: Floats) -> Pair:
    total = high + low
    return total, low - (total - high)
