"""Numbers split on grids of powers of two, so that sums of them are exact.

``kavg.means`` says what for; ``HEADROOM`` is how many bits a grid leaves above a guessed bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats

Exponents = NDArray[np.int64]
HEADROOM: Final = 2
PIECE: Final = 32_768
"""Coordinates that are split into limbs at once: 768 kB, which an L2 cache may hold."""
LOWEST, HIGHEST = -480, 500
"""Exponents for which the grids of a square, twice the exponent, are still normal numbers."""

Plan = tuple[Floats, Floats, list[tuple[slice, slice, Floats]]]
"""Workspace of ``ExactMean`` for a tile: squares, their limbs, and the limbs of each piece."""


def plan(t: int, R: int, d: int) -> Plan:
    """Allocate once for tiles of t learners; all pieces share the memory of their limbs."""
    parts = list(pieces(t, R, d))
    shapes = [(2, t, r.stop - r.start, i.stop - i.start) for r, i in parts]
    room = np.empty(max(map(prod, shapes)))
    limbs = [room[: prod(shape)].reshape(shape) for shape in shapes]
    cut = [(r, i, both) for (r, i), both in zip(parts, limbs, strict=True)]
    return np.empty((t, R)), np.empty((2, t, R)), cut


def pieces(t: int, R: int, d: int) -> Iterator[tuple[slice, slice]]:
    """Parts of ``(R, d)`` of which t fit a cache: some replicas at once, or part of one.

    >>> len(list(pieces(4, R=64, d=100))), len(list(pieces(1, R=2, d=10**6)))
    (1, 62)
    """
    replicas = max(1, min(R, PIECE // (t * d)))
    wide = d if replicas > 1 else max(1, PIECE // t)
    for r in range(0, R, replicas):
        for i in range(0, d, wide):
            yield slice(r, min(R, r + replicas)), slice(i, min(d, i + wide))


def split(x: Floats, M: tuple[Floats, Floats], limbs: Floats) -> None:
    """``x = high + low + rest``: write the limbs ``high, low`` to ``limbs (2, ...)``."""
    high, low = limbs
    np.add(x, M[0], out=high)
    np.subtract(high, M[0], out=high)
    np.subtract(x, high, out=low)
    np.add(low, M[1], out=low)
    np.subtract(low, M[1], out=low)


def exponents_for(squares: Floats, otherwise: Exponents) -> Exponents:
    """Bounds ``2^e`` with room above ``sqrt(squares)``; where the square is 0, ``otherwise``.

    >>> exponents_for(np.array([1.0, 0.0]), otherwise=np.array([7, 7]))
    array([3, 7])
    """
    _, twice = np.frexp(squares)
    e = np.right_shift(np.add(twice, 1 + 2 * HEADROOM, dtype=np.int64), 1)
    e = np.where((squares > 0) & (squares < np.inf), e, otherwise)
    return np.minimum(np.maximum(e, LOWEST), HIGHEST)


def grids(e: Exponents, P: int) -> tuple[Floats, Floats]:
    """``M1, M2`` for terms below ``2^e``: adding and subtracting one rounds to its unit.

    With ``b = max(2, ceil(log2 P))``: ``u1 = 2^(e + b - 53)`` leaves b bits for the sum of P terms
    and keeps ``x + M1`` between ``2^52 u1`` and ``2^53 u1``; the rest is at most ``u1/2`` and
    is treated the same.
    """
    b = max(2, (P - 1).bit_length())
    return np.ldexp(1.5, e + b - 1), np.ldexp(1.5, e + 2 * b - 55)
