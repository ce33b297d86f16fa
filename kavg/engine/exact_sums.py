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

CHUNK: Final = 2**17
"""Numbers that one ``Allreduce`` adds up: 1 MB, so that what it leaves is still in a cache."""

Piece = tuple[int, slice, slice, slice, Floats]
"""Chunk, replicas, coordinates within the chunk and within all, and the limbs' workspace."""


def chunks(R: int, d: int) -> list[slice]:
    """Coordinates that travel together; all of them unless they are many.

    >>> chunks(64, 100), len(chunks(1, 10**6))
    ([slice(0, 100, None)], 16)
    """
    wide = max(1024, CHUNK // (2 * R))
    return [slice(i, min(d, i + wide)) for i in range(0, d, wide)]


def pieces(t: int, R: int, d: int) -> list[Piece]:
    """Parts of ``(R, d)`` of which t fit a cache; all share the memory of their limbs.

    >>> len(pieces(4, R=64, d=100)), len(pieces(1, R=2, d=10**6))
    (1, 62)
    """
    found = []
    room = np.empty(2 * max(PIECE, t))
    for number, chunk in enumerate(chunks(R, d)):
        for r, i in cut(t, R, chunk.stop - chunk.start):
            shape = (2, t, r.stop - r.start, i.stop - i.start)
            limbs = room[: prod(shape)].reshape(shape)
            whole = slice(chunk.start + i.start, chunk.start + i.stop)
            found.append((number, r, i, whole, limbs))
    return found


def cut(t: int, R: int, d: int) -> Iterator[tuple[slice, slice]]:
    """``(R, d)`` in parts of ``PIECE / t``: some replicas at once, or part of one."""
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
