"""Error-free splitting of numbers on grids of powers of two, so that their sums are exact.

Adding and subtracting ``M = 1.5 * 2^k`` rounds a number to a multiple of a power of two, without
error in the remainder: ``ExtractVector`` of Rump, Ogita and Oishi ("Accurate floating-point
summation, part I", SIAM J. Sci. Comput. 31, 2008).  Choosing ``M`` from a bound on all terms, and
not from the sum so far, makes the result independent of the order of addition: the pre-rounding of
Demmel and Nguyen ("Fast reproducible floating-point summation", ARITH 21, 2013), here with two
levels and bounds per replica.  ``kavg.engine.exact_mean`` sums learners' displacements with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats

Exponents = NDArray[np.int64]
"""One ``e`` for each replica: its terms are bounded by ``2^e``."""
HEADROOM: Final = 2
"""Bits that a bound leaves above the root mean square norm it was chosen from."""
PIECE: Final = 32_768
"""Coordinates split into limbs at once: 768 kB, which an L2 cache may hold."""
LOWEST, HIGHEST = -480, 500
"""Exponents for which the grids of a square, twice the exponent, are still normal numbers."""

SMALL: Final = 2048
"""Numbers of a piece for which the calls, and not the memory, take the time."""
CHUNK: Final = 2**17
"""Numbers that one ``Allreduce`` sums: 1 MB, so that the result is still in a cache."""


class Piece(NamedTuple):
    """A part of a tile's columns, small enough for a cache, that is split into limbs at once.

    ``replicas`` and ``columns`` select it in the sums of ``chunk``, ``replicas`` and
    ``tile_columns`` in a tile ``(t, R, d)``.  ``limbs (2, t, ...)`` is workspace.
    """

    chunk: int
    replicas: slice
    columns: slice
    tile_columns: slice
    limbs: Floats


def split_columns(R: int, d: int) -> list[slice]:
    """Return the coordinates that each ``Allreduce`` sums: all of them unless they are many.

    >>> split_columns(64, 100), len(split_columns(1, 10**6))
    ([slice(0, 100, None)], 16)
    """
    # With many replicas a chunk of 1 MB has few columns; a call for each few would cost more.
    width = max(1024, CHUNK // (2 * R))
    return [slice(i, min(d, i + width)) for i in range(0, d, width)]


def plan_pieces(t: int, R: int, d: int) -> list[Piece]:
    """Cut ``(R, d)`` into pieces so small that t of each fit a cache; all share one workspace.

    >>> len(plan_pieces(4, R=64, d=100)), len(plan_pieces(1, R=2, d=10**6))
    (1, 62)
    """
    pieces = []
    # A piece has at least one coordinate of each of the t learners.
    room = np.empty(2 * max(PIECE, t))
    for number, chunk in enumerate(split_columns(R, d)):
        for r, i in _cut(t, R, chunk.stop - chunk.start):
            shape = (2, t, r.stop - r.start, i.stop - i.start)
            limbs = room[: prod(shape)].reshape(shape)
            in_tile = slice(chunk.start + i.start, chunk.start + i.stop)
            pieces.append(Piece(number, r, i, in_tile, limbs))
    return pieces


def _cut(t: int, R: int, d: int) -> Iterator[tuple[slice, slice]]:
    """Cut ``(R, d)`` into parts of ``PIECE / t``: several replicas at once, or part of one."""
    replicas = max(1, min(R, PIECE // (t * d)))
    width = d if replicas > 1 else max(1, PIECE // t)
    for r in range(0, R, replicas):
        for i in range(0, d, width):
            yield slice(r, min(R, r + replicas)), slice(i, min(d, i + width))


def split_limbs(x: Floats, M: tuple[Floats, Floats], limbs: Floats) -> None:
    """Write ``high`` and ``low`` of ``x = high + low + rest`` to ``limbs (2, ...)``.

    ``M`` is that of ``make_grids``: ``high`` is a multiple of the first unit, ``low`` of the
    second, and ``rest`` is at most half the second unit.
    """
    high, low = limbs
    # The order of these operations is the algorithm: (x + M) - M is not x in floating point.
    np.add(x, M[0], out=high)
    np.subtract(high, M[0], out=high)
    np.subtract(x, high, out=low)
    np.add(low, M[1], out=low)
    np.subtract(low, M[1], out=low)


def choose_exponents(squares: Floats, default: Exponents) -> Exponents:
    """Return ``e`` with ``2^e`` well above ``sqrt(squares)``; ``default`` where a square is 0.

    A square that is not finite gives the ``default`` too.

    >>> choose_exponents(np.array([1.0, 0.0]), default=np.array([7, 7]))
    array([3, 7])
    """
    # squares < 2^twice, so their roots are below 2^ceil(twice / 2); frexp returns int32.
    _, twice = np.frexp(squares)
    e = np.right_shift(np.add(twice, 1 + 2 * HEADROOM, dtype=np.int64), 1)
    e = np.where((squares > 0) & (squares < np.inf), e, default)
    return np.minimum(np.maximum(e, LOWEST), HIGHEST)


def make_grids(e: Exponents, P: int) -> tuple[Floats, Floats]:
    """Return ``M1, M2`` for P terms below ``2^e``: adding and subtracting one rounds to its unit.

    With ``b = max(2, ceil(log2 P))``: ``u1 = 2^(e + b - 53)`` leaves b bits for the sum of P terms
    and keeps ``x + M1`` between ``2^52 u1`` and ``2^53 u1``; the rest is at most ``u1/2`` and
    is treated the same.
    """
    b = count_carry_bits(P)
    return np.ldexp(1.5, e + b - 1), np.ldexp(1.5, e + 2 * b - 55)


def count_carry_bits(P: int) -> int:
    """Return the bits that a sum of P terms may need beyond those of one term, 2 at least."""
    return max(2, (int(P) - 1).bit_length())  # P may be an integer of NumPy


def make_full_grid(P: int) -> Floats:
    """Return an ``M`` for each of the levels that together hold every double of some P numbers.

    Numbers are below ``2^(1023 - b)``, b as in ``make_grids``.  Split on one level after another,
    as ``split_limbs`` does on two, they leave no rest, and a level's partial sums are exact.

    >>> len(make_full_grid(16))
    42
    """
    b = count_carry_bits(P)
    # A level leaves b bits for the sum, and a rest of half its unit 2^(e + b - 53); the last unit
    # is not above 2^-1074, the least double.
    exponents = np.arange(1023 - b, -1075, b - 54)
    return np.ldexp(1.5, exponents + b - 1)


def spread_numbers(numbers: Floats, shape: tuple[int, ...]) -> Floats:
    """Return numbers in the form in which NumPy combines them with arrays of ``shape`` fastest.

    A call takes 0.3 microseconds with one number or with equal shapes, and 0.65 if it broadcasts.

    >>> spread_numbers(np.array([[2.0]]), (3, 1)), spread_numbers(np.array([1.0, 2.0]), (2, 2))
    (array(2.), array([[1., 2.],
           [1., 2.]]))
    """
    if numbers.size == 1:
        return numbers.reshape(())
    return np.broadcast_to(numbers, shape).copy() if prod(shape) <= SMALL else numbers


def divide_remainder(total: Floats, quotient: Floats, P: int) -> Floats:
    """Return ``(high + low - P quotient) / P`` of the limbs ``total (2, ...)``, rounded once.

    ``quotient`` is ``(high + low) / P`` up to a few last places, and P is below ``2^27``.
    """
    high, low = total
    near = high + low
    # Knuth's TwoSum: near + error is high + low.
    back = near - high
    error = (high - (near - back)) + (low - back)
    # Veltkamp's split: products of P and a half of the quotient's bits are exact.
    shifted = quotient * (2.0**27 + 1)
    head = shifted - (shifted - quotient)
    return np.asarray((((near - P * head) - P * (quotient - head)) + error) / P)
