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
from kavg.limbs import HIGHEST, Exponents, Piece, chunks, exponents_for, grids, pieces, split

FINER: Final = 48


class Mean(Protocol):
    """Fold in tiles of displacements, then finish: one ``Allreduce`` a round."""

    exponents: Exponents | None
    asks: int
    """What this rank adds to ``asked``; may be set until ``finish``."""
    asked: int
    """The sum of ``asks`` over the ranks, which travels with the displacements."""

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
        self.comm, self.P, self.d = comm, P, d
        self.sums, self.totals = np.empty((R, d + 2)), np.empty((R, d + 2))
        self.mean, self.square = self.totals[:, :d], self.totals[:, d]
        self.exponents: Exponents | None = None
        self.asks = self.asked = 0

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
        self.sums[0, -1] = self.asks
        self.comm.Allreduce(self.sums, self.totals)
        self.asked = int(self.totals[0, -1])
        np.divide(self.totals, self.P, out=self.totals)
        return True


@final
class ExactMean:
    """The mean whose bits depend neither on tiles nor on ranks.

    It is at most one last place from the correctly rounded mean, as the sum and its quotient by P
    are rounded once each.

    ``exponents (R,)`` are the grids' bounds, part of the state of a run.  The sums have shape
    ``(2, R, d + 2)``: the two limbs of the d coordinates, then of the squared norm, then whether
    this rank has a learner beyond the bound, with what it asks in the second limb's place for it.
    Large ones are cut into chunks of coordinates, each with an ``Allreduce`` of its own.
    """

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.R, self.d = comm, P, R, d
        *firsts, last = chunks(R, d)
        self.chunks = [*firsts, slice(last.start, d + 2)]
        self.sums = [np.zeros((2, R, i.stop - i.start)) for i in self.chunks]
        self.totals = np.empty(max(part.size for part in self.sums))
        self.average, self.largest = np.empty((R, d + 2)), np.empty(R)
        self.mean, self.square = self.average[:, :d], self.average[:, d]
        self.plans: dict[int, tuple[Floats, Floats, list[Piece]]] = {}
        self.empty = True
        self.exponents: Exponents | None = None
        self.laid: Exponents | None = None
        self.asks = self.asked = 0

    def begin(self, pilot: Floats | None) -> None:
        """Lay the grids; the first tile will overwrite the sums."""
        if self.exponents is None:
            assert pilot is not None
            squares = np.vecdot(pilot, pilot)[0]
            self.exponents = exponents_for(squares, otherwise=np.zeros(len(squares), np.int64))
        if self.laid is None or not (self.laid == self.exponents).all():
            self.bounds = np.ldexp(1.0, 2 * self.exponents)
            self.grids = grids(self.exponents[:, None], self.P)
            self.square_grids = grids(2 * self.exponents, self.P)
            self.laid = self.exponents
        self.empty = True

    def fold(self, displacement: Floats) -> None:
        """Split a tile into limbs and add them up."""
        t = len(displacement)
        if t not in self.plans:
            self.plans[t] = (
                np.empty((t, self.R)),
                np.empty((2, t, self.R)),
                pieces(t, self.R, self.d),
            )
        squares, limbs, parts = self.plans[t]
        np.vecdot(displacement, displacement, out=squares)
        largest = np.maximum.reduce(squares, axis=0)
        np.maximum(largest, 0.0 if self.empty else self.largest, out=self.largest)
        self.add(self.sums[-1][..., -2], squares, self.square_grids, limbs)
        M1, M2 = self.grids
        for chunk, r, i, whole, limbs in parts:
            self.add(self.sums[chunk][:, r, i], displacement[:, r, whole], (M1[r], M2[r]), limbs)
        self.empty = False

    def add(self, sums: Floats, x: Floats, M: tuple[Floats, Floats], limbs: Floats) -> None:
        """Add the limbs of ``x (t, ...)`` to ``sums (2, ...)``, or begin with them."""
        alone = len(x) == 1
        if self.empty and alone:
            split(x, M, sums[:, None])
            return
        split(x, M, limbs)
        if self.empty:
            np.add.reduce(limbs, axis=1, out=sums)
        else:
            np.add(sums, limbs[:, 0] if alone else np.add.reduce(limbs, axis=1), out=sums)

    def finish(self) -> bool:
        """Reduce the limbs; where a flag is up, widen the grid instead."""
        if self.empty:  # a rank without learners
            self.largest.fill(0.0)
            for part in self.sums:
                part.fill(0.0)
        tail = self.sums[-1][..., -1]
        np.logical_not(self.largest < self.bounds, out=tail[0])
        tail[1, 0] = self.asks
        for i, part in zip(self.chunks, self.sums, strict=True):
            total = self.totals[: part.size].reshape(part.shape)
            self.comm.Allreduce(part, total)
            np.add(total[0], total[1], out=self.average[:, i])
            np.divide(self.average[:, i], self.P, out=self.average[:, i])
        flags, self.asked = total[0, :, -1], int(total[1, 0, -1])
        if flags.any() and self.widen(flags > 0):
            return False
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
        self.average[hopeless] = np.nan
        assert self.exponents is not None
        wider = exponents_for(largest, otherwise=self.exponents)
        self.exponents = np.where(beyond & ~hopeless, wider, self.exponents)
        return bool((beyond & ~hopeless).any())


MEANS: Final[dict[str, type[ExactMean] | type[PlainMean]]] = {
    "exact": ExactMean,
    "allreduce": PlainMean,
}
