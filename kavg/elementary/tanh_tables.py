"""The tables of the hyperbolic tangent, made once for a slope and a factor, and kept.

Entries are computed to some 95 bits from powers of ``exp(2 b h)``, which ``decimal`` gives, and
rounded once: the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property, lru_cache
from math import frexp, ldexp, sqrt
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.elementary.double_double import (
    Pair,
    add_pairs,
    divide_pairs,
    multiply_exactly,
    multiply_pairs,
    pair_of,
)

Table = NDArray[np.complexfloating[Any]]
"""Two real numbers a cell, as real and imaginary part: one look-up finds both."""

CELLS: Final[dict[Precision, int]] = {"float64": 10, "float32": 11}
"""``b h`` is at most ``2^-CELLS`` and above half of that."""
REACH: Final[dict[Precision, float]] = {"float64": 19.1, "float32": 9.1}
"""From here on the nearest number to tanh is 1."""
FRACTION: Final[dict[Precision, int]] = {"float64": 52, "float32": 23}
"""Bits of a significand behind its point."""

KEPT: Final = 32
"""Tables of each precision that are kept: 0.6 to 1.3 MB in float64, half of that in float32."""


@final
@dataclass(frozen=True)
class Grid:
    """The multiples ``k h``, ``|k| <= K``, of ``h = 2^-m``, and how a number finds the nearest.

    The sum of a number and the ``rounder`` has the number in units of h, rounded, as its last bits.

    >>> grid = choose_grid(2.0, "float64")
    >>> grid.step == 2.0**-11, grid.K, float(1.0 + grid.rounder - grid.rounder)
    (True, 19559, 1.0)
    """

    m: int
    K: int
    dtype: Precision

    @property
    def step(self) -> float:
        """The distance h of two multiples."""
        return ldexp(1.0, -self.m)

    @cached_property
    def rounder(self) -> Floats:
        """``1.5 2^52 h``, or ``1.5 2^23 h`` in float32, without axes."""
        return np.array(1.5 * 2.0 ** (FRACTION[self.dtype] - self.m), self.dtype)

    @cached_property
    def least_bits(self) -> NDArray[np.signedinteger[Any]]:
        """The bits of the rounder plus the least multiple, as a whole number without axes."""
        return np.array(self.rounder.view(f"i{self.rounder.itemsize}") - self.K)


@lru_cache(maxsize=2 * KEPT)
def choose_grid(b: float, dtype: Precision) -> Grid:
    """Return the grid of ``tanh(b x)``: fine enough, and as far as it is not yet 1."""
    fraction, exponent = frexp(b)
    m = exponent + CELLS[dtype] - (fraction == 0.5)
    return Grid(m, int(REACH[dtype] / ldexp(b, -m)) + 1, dtype)


@lru_cache(maxsize=KEPT)
def tabulate_quotients(b: float, c: float, grid: Grid) -> Table:
    """Return ``c T`` and ``c^2 (1 - T^2)`` in each cell, where ``T = tanh(b k h)``.

    The table is read-only, as all who ask for it share it.
    """
    T, slope = _tanh_and_slope(b, grid)
    factor = _exact(c)
    values = multiply_pairs(T, factor)
    slopes = multiply_pairs(multiply_pairs(slope, factor), factor)
    values[0][-1], slopes[0][-1] = c, 0.0
    return _mirror(values[0], slopes[0], np.complex128)


@lru_cache(maxsize=KEPT)
def tabulate_lines(b: float, c: float, grid: Grid, adds_x: bool) -> Table:
    """Return intercept and slope of the best line in each cell, of slope 1 more if ``adds_x``.

    It is the tangent, moved by half of its largest distance from the curve.  Read-only, as above.
    """
    T, slope = _tanh_and_slope(b, grid)
    z = multiply_exactly(np.arange(grid.K + 1.0), np.array(ldexp(b, -grid.m)))
    bend = (b * grid.step) * (b * grid.step) / 8.0
    fall = multiply_pairs(slope, add_pairs(z, multiply_pairs(T, _exact(bend))))
    intercepts = multiply_pairs(add_pairs(T, (-fall[0], -fall[1])), _exact(c))
    slopes = multiply_pairs(slope, multiply_exactly(np.array(c), np.array(b)))
    intercepts[0][-1], slopes[0][-1], slopes[1][-1] = c, 0.0, 0.0
    if adds_x:
        slopes = add_pairs(slopes, _exact(1.0))
    return _mirror(intercepts[0], slopes[0], np.complex64)


def _exact(number: float) -> Pair:
    return np.array(number), np.array(0.0)


def _tanh_and_slope(b: float, grid: Grid) -> tuple[Pair, Pair]:
    """Return ``T = tanh(b k 2^-m)`` and ``1 - T^2`` for ``k = 0..K``, to some 95 bits."""
    q = _powers_of_exp(ldexp(b, 1 - grid.m), grid.K)
    above, below = add_pairs(q, _exact(1.0)), add_pairs(q, _exact(-1.0))
    root = divide_pairs(q, above)
    four = multiply_pairs(root, _exact(4.0))
    return divide_pairs(below, above), divide_pairs(four, above)


def _powers_of_exp(step: float, K: int) -> Pair:
    """Return ``exp(k step)`` for ``k = 0..K``, as products of two short tables."""
    short = int(sqrt(K)) + 1
    context = Context(prec=50)
    first = context.exp(Decimal(step))
    fine = _powers(first, short, context)
    coarse = _powers(context.multiply(fine[-1], first), K // short + 1, context)
    (a, a_low), (f, f_low) = pair_of(coarse), pair_of(fine)
    high, low = multiply_pairs((a[:, None], a_low[:, None]), (f, f_low))
    return high.reshape(-1)[: K + 1], low.reshape(-1)[: K + 1]


def _powers(base: Decimal, count: int, context: Context) -> list[Decimal]:
    powers = [Decimal(1)]
    while len(powers) < count:
        powers.append(context.multiply(powers[-1], base))
    return powers


def _mirror(odd: Floats, even: Floats, dtype: type[np.complexfloating[Any]]) -> Table:
    """Return the table of all cells from that of the right half."""
    table = np.empty(2 * len(odd) - 1, dtype)
    # The odd part of the middle is -0, so that the function of -0 is -0.
    table.real = np.concatenate([-odd[:0:-1], -odd[:1], odd[1:]])
    table.imag = np.concatenate([even[:0:-1], even])
    table.flags.writeable = False
    return table
