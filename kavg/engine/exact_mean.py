"""The exact mean over learners: the same bits in any order, with any tiles and ranks.

Every displacement is split on two grids of powers of two that all learners share::

    hi = (x + M1) - M1        lo = ((x - hi) + M2) - M2

``hi`` is a multiple of ``u1`` and ``lo`` of ``u2``, with ``u1, u2`` so large that a sum of P
terms is a multiple of its unit below ``2^53`` units: every partial sum is exact, so the order of
addition, hence tiles and ranks, cannot matter.  What is dropped is below ``u2/2``, some
``2^-104 P^2`` of the grid's bound.  The sources are named in ``kavg.engine.exact_sums``.

The grid must be known before the first learner is folded in.  It bounds the norm of a learner's
displacement by ``2^e``, with e chosen from the mean square norm of the round before (for the first
round, from learner 0) and room to spare.  A learner beyond the bound raises a flag that travels
with the sum; every rank sees it, the grid is widened and the round is run again, with the same
noise.  Each replica has its own grid, so replicas stay independent.
"""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import freeze
from kavg.base import Communicator, Floats
from kavg.elementary.sums import SquareSums, sum_squares
from kavg.engine.exact_sums import (
    HEADROOM,
    HIGHEST,
    LOWEST,
    Exponents,
    Piece,
    choose_exponents,
    count_carry_bits,
    divide_remainder,
    make_grids,
    plan_pieces,
    split_columns,
    split_limbs,
    spread_numbers,
)

FINER: Final = 48
"""Bits by which a grid is made finer when the mean square vanished on it."""


@final
class ExactMean:
    """The exact mean, rounded: its bits depend neither on tiles nor on ranks.

    A coordinate so much smaller than the largest norm that the two limbs do not reach its last
    place is exact to about ``2^-104 P^2`` of the grid's bound instead.  ``exponents (R,)`` are the
    grids' bounds, part of the state of a run.  The sums have shape ``(2, R, d + 2)``: two limbs of
    the coordinates; those of the squared norm; and a flag, whether this rank has a learner beyond
    the bound, whose unused second limb holds the rank's request.  Large sums are cut into chunks,
    with an ``Allreduce`` for each.  ``floor`` is None unless the last grids were much too wide.
    """

    same_bits = "any machine"

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.R, self.d = comm, P, R, d
        *firsts, last = split_columns(R, d + 1)
        # Flags and requests travel with the last chunk, in one more column.
        self.columns = [*firsts, slice(last.start, d + 2)]
        # Zeros, as only row 0 of the last column's second limbs, the request, is ever written.
        self.sums = [np.zeros((2, R, i.stop - i.start)) for i in self.columns]
        # Chunks are finished one after another, so their totals can share one buffer.
        room = np.empty(max(part.size for part in self.sums))
        self.totals = [room[: part.size].reshape(part.shape) for part in self.sums]
        self.average, self.largest = np.empty((R, d + 2)), np.empty(R)
        self.averages = [self.average[:, i] for i in self.columns]
        self.mean, self.square = self.average[:, :d], self.average[:, d]
        self.plans: dict[int, list[Piece]] = {}
        self.square_sums = SquareSums()
        # Views of the tile that was folded last: a run folds one workspace again and again.
        self.nothing: Floats = np.empty((0, R, d + 1))
        self.tile: Floats = self.nothing
        self.parts: list[tuple[Floats, Floats, tuple[Floats, Floats], Floats]] = []
        self.empty = True
        self.requested = 0
        self.floor: Floats | None = None
        self.set_grids(np.zeros(R, np.int64))

    def first_exponents(self, pilot: Floats) -> Exponents:
        """Return exponents with room above the norm of learner 0's displacement."""
        # Not the last column: it is undefined before ``fold``.
        squares = sum_squares(pilot[0, :, :-1])
        return choose_exponents(squares, default=np.zeros(len(squares), np.int64))

    def begin(self, exponents: Exponents) -> None:
        """Set the grids, if they change; the first tile will overwrite the sums."""
        # Most rounds have the grids of the one before; ``is`` costs less than comparing R numbers.
        if exponents is not self.in_use:
            self.set_grids(exponents)
        self.empty = True

    def set_grids(self, e: Exponents) -> None:
        """Compute the grids for norms below ``2^e``.

        The next round has the same grids if this one's mean square is in ``[low, high)``.
        """
        self.exponents = self.in_use = freeze(e)
        self.grids = make_grids(e[:, None], self.P)
        self.tile = self.nothing  # the views of the grids are old
        self.scale, self.bounds = np.ldexp(1.0, -e), np.ldexp(1.0, 2 * e)
        self.factor = spread_numbers(self.scale, (len(e),))
        self.high = np.ldexp(self.bounds, -2 * HEADROOM)
        self.low = np.ldexp(self.high, -2)

    def fold(self, displacements: Floats, absent: NDArray[np.bool_] | None = None) -> None:
        """Add a tile, ``(t, R, d + 1)``, piece by piece: split into limbs, then sum over t."""
        if displacements is not self.tile:
            self._bind(displacements)
        squares = self.squares
        self.square_sums(self.coordinates, squares)
        if self.empty:
            np.maximum.reduce(squares, axis=0, out=self.largest)
        else:
            np.maximum(self.largest, np.maximum.reduce(squares, axis=0), out=self.largest)
        # Divided by 2^e, squared norms below 2^2e lie on the grid of the coordinates.
        np.multiply(squares, self.factor, out=squares)
        for part in self.parts:
            self.add(*part)
        self.empty = False

    def _bind(self, displacements: Floats) -> None:
        """Make the views of a tile and of the sums that its pieces are added to."""
        t = len(displacements)
        if t not in self.plans:  # few sizes occur, as tiles are equal but the last
            self.plans[t] = plan_pieces(t, self.R, self.d + 1)
        self.tile = displacements
        self.coordinates, self.squares = displacements[..., :-1], displacements[..., -1]
        self.parts = []
        for chunk, r, i, in_tile, limbs in self.plans[t]:
            M1, M2 = (spread_numbers(M[r], limbs.shape[1:]) for M in self.grids)
            sums, x = self.sums[chunk][:, r, i], displacements[:, r, in_tile]
            self.parts.append((sums, x, (M1, M2), limbs))

    def add(self, sums: Floats, x: Floats, M: tuple[Floats, Floats], limbs: Floats) -> None:
        """Add the limbs of ``x (t, ...)`` to ``sums (2, ...)``, or set the sums to them."""
        single = len(x) == 1
        if self.empty and single:
            # A first learner needs no sum: its limbs are written where they belong.
            split_limbs(x, M, sums[:, None])
            return
        split_limbs(x, M, limbs)
        if self.empty:
            np.add.reduce(limbs, axis=1, out=sums)
        else:
            np.add(sums, limbs[:, 0] if single else np.add.reduce(limbs, axis=1), out=sums)

    def finish(self, request: int = 0) -> bool:
        """Sum the limbs over all ranks; False if a learner was beyond a bound that can be widened.

        In that case ``exponents`` are those of the wider grids.
        """
        if self.empty:  # a rank without learners
            self.largest.fill(0.0)
            for part in self.sums:
                part.fill(0.0)
        tail = self.sums[-1][..., -1]
        # Not ``>=``: a NaN is beyond every bound.
        np.logical_not(self.largest < self.bounds, out=tail[0])
        tail[1, 0] = request
        # Blocking: on shared memory the ranks do the adding inside MPI's calls, so that Iallreduce
        # would overlap nothing.  The next bound follows from these sums, without Allreduce(MAX).
        for part, total, average in zip(self.sums, self.totals, self.averages, strict=True):
            self.comm.Allreduce(part, total)
            np.add(total[0], total[1], out=average)
            np.divide(average, self.P, out=average)
        # ``total`` is now that of the last chunk, which ends with the number of ranks that raised
        # each flag, and with the sum of the requests.
        flags, self.requested = total[0, :, -1], int(total[1, 0, -1])
        if np.count_nonzero(flags) and self.widen(flags > 0):
            return False
        np.divide(self.square, self.scale, out=self.square)
        within = (self.square >= self.low) & (self.square < self.high)
        if np.count_nonzero(within) < self.R:
            self.floor = self.least_square()
            # A square that vanished was below 2^-100 of its grid: the next grid must be finer.
            self.exponents = freeze(choose_exponents(self.square, default=self.exponents - FINER))
        else:
            self.floor = None
        return True

    def least_square(self) -> Floats:
        """Return the mean squares ``(R,)`` that the grids in use still hold to the last place."""
        # The limbs of a square drop 2^(2b - 108) of the bound.
        bits = min(2 * count_carry_bits(self.P) - 55, -8)
        return np.asarray(np.where(self.in_use > LOWEST, np.ldexp(self.bounds, bits), 0.0))

    def remainder(self) -> Floats:
        """Return the exact mean minus ``mean``, ``(R, d)``, after a round has been finished.

        The sums travel once more, as their totals share one buffer: the ``Allreduce`` calls of
        ``finish``.
        """
        rest = np.empty_like(self.average)
        for i, part, total in zip(self.columns, self.sums, self.totals, strict=True):
            self.comm.Allreduce(part, total)
            rest[:, i] = divide_remainder(total, self.average[:, i], self.P)
        return rest[:, : self.d]

    def widen(self, beyond: NDArray[np.bool_]) -> bool:
        """Choose wider grids where learners were beyond; False if none is wide enough.

        The mean of a replica that no grid can hold becomes NaN; other replicas are not affected.
        One ``Allgather``.
        """
        gathered = np.empty((self.comm.Get_size(), len(self.largest)))
        self.comm.Allgather(self.largest, gathered)
        largest = np.max(gathered, axis=0)
        too_large = beyond & ~(largest < np.ldexp(1.0, 2 * HIGHEST))
        self.average[too_large] = np.nan
        wider = choose_exponents(largest, default=self.exponents)
        self.exponents = freeze(np.where(beyond & ~too_large, wider, self.exponents))
        return bool((beyond & ~too_large).any())
