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
from kavg.limbs import HIGHEST, Exponents, Plan, exponents_for, grids, plan, split

FINER: Final = 48


class Mean(Protocol):
    """Fold in tiles of displacements, then finish: one ``Allreduce`` a round."""

    exponents: Exponents | None

    @property
    def mean(self) -> Floats:
        """``(R, d)``."""
        ...

    @property
    def square(self) -> Floats:
        """``(R,)``."""
        ...

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
        self.comm, self.P = comm, P
        self.sums, self.totals = np.empty((R, d + 1)), np.empty((R, d + 1))
        self.mean, self.square = self.totals[:, :d], self.totals[:, d]
        self.exponents: Exponents | None = None

    def begin(self, pilot: Floats | None) -> None:
        """Empty the sums; the exponents only say that no further pilot is needed."""
        self.sums[...] = 0
        self.exponents = np.zeros(len(self.sums), np.int64)

    def fold(self, displacement: Floats) -> None:
        """Add a tile."""
        self.sums[:, :-1] += np.add.reduce(displacement, axis=0)
        self.sums[:, -1] += np.add.reduce(np.vecdot(displacement, displacement), axis=0)

    def finish(self) -> bool:
        """Reduce and divide by P."""
        self.comm.Allreduce(self.sums, self.totals)
        np.divide(self.totals, self.P, out=self.totals)
        return True


@final
class ExactMean:
    """The mean whose bits depend neither on tiles nor on ranks.

    It is at most one last place from the correctly rounded mean, as the sum and its quotient by P
    are rounded once each.

    ``exponents (R,)`` are the grids' bounds, part of the state of a run.  The sums have shape
    ``(2, R, d + 2)``: the two limbs of the d coordinates, then of the squared norm, then whether
    this rank has a learner beyond the bound.
    """

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.R, self.d = comm, P, R, d
        self.sums, self.totals = np.zeros((2, R, d + 2)), np.empty((2, R, d + 2))
        self.average, self.largest = np.empty((R, d + 1)), np.empty(R)
        self.mean, self.square = self.average[:, :d], self.average[:, d]
        self.plans: dict[int, Plan] = {}
        self.exponents: Exponents | None = None
        self.laid: Exponents | None = None

    def begin(self, pilot: Floats | None) -> None:
        """Empty the sums and lay the grids."""
        if self.exponents is None:
            assert pilot is not None
            squares = np.vecdot(pilot, pilot)[0]
            self.exponents = exponents_for(squares, otherwise=np.zeros(len(squares), np.int64))
        self.sums.fill(0.0)
        self.largest.fill(0.0)
        if self.laid is None or not (self.laid == self.exponents).all():
            self.bounds = np.ldexp(1.0, 2 * self.exponents)
            self.grids = grids(self.exponents[:, None], self.P)
            self.square_grids = grids(2 * self.exponents, self.P)
            self.laid = self.exponents

    def fold(self, displacement: Floats) -> None:
        """Split a tile into limbs and add them up."""
        t = len(displacement)
        if t not in self.plans:
            self.plans[t] = plan(t, self.R, self.d)
        squares, square_limbs, parts = self.plans[t]
        np.vecdot(displacement, displacement, out=squares)
        largest = np.maximum.reduce(squares, axis=0)
        np.maximum(self.largest, largest, out=self.largest)
        self.add(self.sums[..., self.d], squares, self.square_grids, square_limbs)
        for r, i, limbs in parts:
            M1, M2 = self.grids
            self.add(self.sums[:, r, i], displacement[:, r, i], (M1[r], M2[r]), limbs)

    def add(self, sums: Floats, x: Floats, M: tuple[Floats, Floats], limbs: Floats) -> None:
        """Add the limbs of ``x (t, ...)`` to ``sums (2, ...)``."""
        split(x, M, limbs)
        np.add(sums, limbs[:, 0] if len(x) == 1 else np.add.reduce(limbs, axis=1), out=sums)

    def finish(self) -> bool:
        """Reduce the limbs; where a flag is up, widen the grid instead."""
        np.logical_not(self.largest < self.bounds, out=self.sums[0, :, self.d + 1])
        self.comm.Allreduce(self.sums, self.totals)
        flags = self.totals[0, :, self.d + 1]
        if flags.any() and self.widen(flags > 0):
            return False
        high, low = self.totals[..., : self.d + 1]
        np.add(high, low, out=self.average)
        np.divide(self.average, self.P, out=self.average)
        assert self.exponents is not None
        # A square that vanished was below 2^-100 of its grid: the next grid must be finer.
        self.exponents = exponents_for(self.square, otherwise=self.exponents - FINER)
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


MEANS: Final[dict[str, type[ExactMean] | type[PlainMean]]] = {
    "exact": ExactMean,
    "allreduce": PlainMean,
}
