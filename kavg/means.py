"""The average over learners: exact (the same bits on any number of ranks), or plain Allreduce.

The exact mean splits every displacement on two grids of powers of two that all learners share::

    hi = (x + M1) - M1        lo = ((x - hi) + M2) - M2

``hi`` is a multiple of ``u1`` and ``lo`` of ``u2``, with ``u1, u2`` so large that a sum of P
terms is a multiple of its unit below ``2^53`` units: every partial sum is exact, so the order of
addition, hence tiles and ranks, cannot matter.  What is dropped is below ``u2/2``, some
``2^-104 P^2`` of the grid's bound.

The grid must be known before the first learner is folded in.  It bounds the norm of a learner's
displacement by ``2^e``, with e guessed from the mean square norm of the round before (for the first
round, from learner 0) and room to spare.  A learner beyond the bound raises a flag that travels
with the sum; every rank sees it, the grid is widened and the round is run again, with the same
noise.  Each replica has its own grid, so replicas stay independent.
"""

from __future__ import annotations

from typing import Final, Protocol, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Communicator, Floats

Exponents = NDArray[np.int64]
HEADROOM: Final = 2
FINER: Final = 48
LOWEST, HIGHEST = -480, 500
"""Exponents for which the grids of a square, twice the exponent, are still normal numbers."""


class Mean(Protocol):
    """Fold in tiles of displacements, then finish: one ``Allreduce`` a round."""

    mean: Floats
    square: Floats
    exponents: Exponents | None
    asks: int
    """What this rank adds to ``asked``; may be set until ``finish``."""
    asked: int
    """The sum of ``asks`` over the ranks, which travels with the displacements."""

    def begin(self, pilot: Floats | None) -> None:
        """Empty the sums; ``pilot (1, R, d)`` is learner 0's displacement where one is needed."""
        ...

    def fold(self, displacement: Floats) -> None:
        """Add a tile ``(t, R, d)``, which is overwritten."""
        ...

    def finish(self) -> bool:
        """Fill ``mean (R, d)`` and ``square (R,)``; False asks to run the round again."""
        ...


@final
class PlainMean:
    """Add up and ``Allreduce``: fast, but the last bits depend on tiles and on ranks.

    ``ExactMean`` costs two limbs in place of one and keeps the bits.
    """

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.d = comm, P, d
        self.sums, self.totals = np.empty((R, d + 2)), np.empty((R, d + 2))
        self.asks = self.asked = 0
        self.mean, self.square = self.totals[:, :d], self.totals[:, d]
        self.exponents: Exponents | None = None

    def begin(self, pilot: Floats | None) -> None:
        """Empty the sums; the exponents only say that no further pilot is needed."""
        self.sums[...] = 0
        self.exponents = np.zeros(len(self.sums), np.int64)

    def fold(self, displacement: Floats) -> None:
        """Add a tile."""
        self.sums[:, : self.d] += np.add.reduce(displacement, axis=0)
        self.sums[:, self.d] += np.add.reduce(np.vecdot(displacement, displacement), axis=0)

    def finish(self) -> bool:
        """Reduce and divide by P."""
        self.sums[0, self.d + 1] = self.asks
        self.comm.Allreduce(self.sums, self.totals)
        self.asked = int(self.totals[0, self.d + 1])
        np.divide(self.totals, self.P, out=self.totals)
        return True


@final
class ExactMean:
    """The mean whose bits depend neither on tiles nor on ranks.

    It is at most one last place from the correctly rounded mean, as the sum and its quotient by P
    are rounded once each.

    ``exponents (R,)`` are the grids' bounds, part of the state of a run.  The sums have shape
    ``(2, R, d + 2)``: the two limbs of the d coordinates, then of the squared norm, then a count
    of learners beyond the bound, with what ranks ask in the second limb's place for it.
    """

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.d = comm, P, d
        self.sums, self.totals = np.empty((2, R, d + 2)), np.empty((2, R, d + 2))
        self.mean, self.square = np.empty((R, d)), np.empty(R)
        self.largest = np.empty(R)
        self.asks = self.asked = 0
        self.high = np.empty((0, R, d))
        self.exponents: Exponents | None = None

    def begin(self, pilot: Floats | None) -> None:
        """Empty the sums and lay the grids."""
        if self.exponents is None:
            assert pilot is not None
            squares = np.vecdot(pilot, pilot)[0]
            self.exponents = exponents_for(squares, otherwise=np.zeros(len(squares), np.int64))
        self.sums[...] = 0
        self.largest[...] = 0
        self.bounds = np.ldexp(1.0, 2 * self.exponents)
        self.grids = grids(self.exponents[:, None], self.P)
        self.square_grids = grids(2 * self.exponents, self.P)

    def fold(self, displacement: Floats) -> None:
        """Split a tile into limbs and add them up."""
        d, squares = self.d, np.vecdot(displacement, displacement)
        if len(self.high) < len(displacement):
            self.high = np.empty_like(displacement)
        high, high_squares = self.high[: len(displacement)], np.empty_like(squares)
        np.maximum(self.largest, np.max(squares, axis=0), out=self.largest)
        self.sums[0, :, d + 1] += np.add.reduce(~(squares < self.bounds), axis=0)
        split(displacement, self.grids, high)
        split(squares, self.square_grids, high_squares)
        for limb, (part, square) in enumerate(((high, high_squares), (displacement, squares))):
            self.sums[limb, :, :d] += np.add.reduce(part, axis=0)
            self.sums[limb, :, d] += np.add.reduce(square, axis=0)

    def finish(self) -> bool:
        """Reduce the limbs; where a flag is up, widen the grid instead."""
        self.sums[1, 0, self.d + 1] = self.asks
        self.comm.Allreduce(self.sums, self.totals)
        self.asked = int(self.totals[1, 0, self.d + 1])
        beyond = self.totals[0, :, self.d + 1] > 0
        if beyond.any() and self.widen(beyond):
            return False
        np.add(self.totals[0, :, : self.d], self.totals[1, :, : self.d], out=self.mean)
        np.add(self.totals[0, :, self.d], self.totals[1, :, self.d], out=self.square)
        np.divide(self.mean, self.P, out=self.mean)
        np.divide(self.square, self.P, out=self.square)
        assert self.exponents is not None
        # A square that vanished was below 2^-100 of its grid: the next grid must be finer.
        finer = np.maximum(self.exponents - FINER, LOWEST)
        self.exponents = exponents_for(self.square, otherwise=finer)
        return True

    def widen(self, beyond: NDArray[np.bool_]) -> bool:
        """Lay wider grids where learners were beyond; False if no grid would help (NaN then)."""
        gathered = np.empty((self.comm.Get_size(), len(self.largest)))
        self.comm.Allgather(self.largest, gathered)
        largest = np.max(gathered, axis=0)
        hopeless = beyond & ~(largest < np.ldexp(1.0, 2 * HIGHEST))
        self.totals[:, hopeless] = np.nan
        assert self.exponents is not None
        wider = exponents_for(largest, otherwise=self.exponents)
        self.exponents = np.where(beyond & ~hopeless, wider, self.exponents)
        return bool((beyond & ~hopeless).any())


def split(x: Floats, M: tuple[Floats, Floats], high: Floats) -> None:
    """``x = high + x' + rest``: write the first limb to ``high`` and leave the second in ``x``."""
    np.add(x, M[0], out=high)
    np.subtract(high, M[0], out=high)
    np.subtract(x, high, out=x)
    np.add(x, M[1], out=x)
    np.subtract(x, M[1], out=x)


def exponents_for(squares: Floats, otherwise: Exponents) -> Exponents:
    """Bounds ``2^e`` with room above ``sqrt(squares)``; where the square is 0, ``otherwise``.

    >>> exponents_for(np.array([1.0, 0.0]), otherwise=np.array([7, 7]))
    array([3, 7])
    """
    _, twice = np.frexp(squares)
    e = np.clip((twice.astype(np.int64) + 1) // 2 + HEADROOM, LOWEST, HIGHEST)
    return np.where(np.isfinite(squares) & (squares > 0), e, otherwise)


def grids(e: Exponents, P: int) -> tuple[Floats, Floats]:
    """``M1, M2`` for terms below ``2^e``: adding and subtracting one rounds to its unit.

    With ``b = max(2, ceil(log2 P))``: ``u1 = 2^(e + b - 53)`` leaves b bits for the sum of P terms
    and keeps ``x + M1`` between ``2^52 u1`` and ``2^53 u1``; the rest is at most ``u1/2`` and
    is treated the same.
    """
    b = max(2, (P - 1).bit_length())
    return np.ldexp(1.5, e + b - 1), np.ldexp(1.5, e + 2 * b - 55)


MEANS: Final[dict[str, type[ExactMean] | type[PlainMean]]] = {
    "exact": ExactMean,
    "allreduce": PlainMean,
}
