"""The mean over learners: the Protocol that a round relies on, and the plain mean.

``kavg.engine.exact_mean`` holds the other, whose bits do not depend on tiles and ranks.
"""

from __future__ import annotations

from typing import ClassVar, Final, Protocol, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import freeze
from kavg.base import Communicator, Floats
from kavg.elementary.sums import SquareSums
from kavg.engine.exact_mean import ExactMean
from kavg.engine.exact_sums import Exponents
from kavg.portability import SameBits


class Sums(Protocol):
    """Sums over learners, to which a round adds one tile after another."""

    def fold(self, displacements: Floats, absent: NDArray[np.bool_] | None = None) -> None:
        """Add a tile of displacements, ``(t, R, d + 1)`` in the layout of ``displacement_buffer``.

        The last column is overwritten.  Rows that are ``absent (t, R)`` are zeros, and count for
        no learner.
        """
        ...


class Mean(Sums, Protocol):
    """The mean of all learners' displacements, and of their squared norms, over all ranks.

    A round calls ``begin``, then ``fold`` for each tile of this rank, then ``finish``, which costs
    one ``Allreduce`` (several if the model is large).  Where ``finish`` returns False the round is
    run again with the new ``exponents``: the same calls, and the same noise.
    """

    @property
    def mean(self) -> Floats:
        """The mean displacement, ``(R, d)``; the outer rule may overwrite it."""
        ...

    @property
    def square(self) -> Floats:
        """The mean over learners of the squared norm of the displacement, ``(R,)``."""
        ...

    @property
    def exponents(self) -> Exponents:
        """The ``e (R,)`` that bound the next round, or the same round when it is run again.

        The norm of a learner's displacement is expected to be below ``2^e``.
        """
        ...

    @property
    def requested(self) -> int:
        """The sum over the ranks of the requests that ``finish`` was given."""
        ...

    @property
    def floor(self) -> Floats | None:
        """Mean squares ``(R,)`` below which ``square`` has lost bits; None if it has lost none."""
        ...

    def first_exponents(self, pilot: Floats) -> Exponents:
        """Return exponents for the first round, from learner 0's displacement ``(1, R, d + 1)``."""
        ...

    def begin(self, exponents: Exponents) -> None:
        """Empty the sums, and expect displacements with norms below ``2^exponents``."""
        ...

    def finish(self, request: int = 0) -> bool:
        """Compute ``mean``, ``square`` and ``requested``; False if the round must be run again.

        ``request`` is this rank's request: a small number, 0 for none.
        """
        ...


def displacement_buffer(tile: int, R: int, d: int) -> Floats:
    """Allocate displacements in the layout that ``Mean.fold`` takes: ``(tile, R, d + 1)``.

    ``LocalSteps`` writes the d coordinates to ``[..., :-1]``; ``fold`` writes the squared norm to
    ``[..., -1]``, so that coordinates and norm are summed by the same passes.
    """
    return np.empty((tile, R, d + 1))


@final
class PlainMean:
    """The floating-point sum over learners, divided by P: its last bits depend on the ranks.

    A rank adds up its learners one after another, so tiles change no bit.  ``ExactMean`` sends two
    numbers in place of one and keeps all bits.  The sums have shape ``(R, d + 2)``: coordinates,
    squared norm, and this rank's request in row 0 of the last column.
    """

    # MPI may add in another order with other ranks, and each library has its own.
    same_bits: ClassVar[SameBits] = "any machine with the same ranks and MPI"

    def __init__(self, comm: Communicator, P: int, R: int, d: int) -> None:
        self.comm, self.P, self.d = comm, P, d
        self.sums, self.totals = np.zeros((R, d + 2)), np.empty((R, d + 2))
        self.mean, self.square = self.totals[:, :d], self.totals[:, d]
        self.exponents: Exponents = freeze(np.zeros(R, np.int64))
        self.square_sums = SquareSums()
        self.requested = 0
        self.empty = True
        self.floor: Floats | None = None

    def first_exponents(self, pilot: Floats) -> Exponents:
        """Return zeros: a plain sum has no grid."""
        return self.exponents

    def begin(self, exponents: Exponents) -> None:
        """Empty the sums; the first tile will overwrite them."""
        self.empty = True

    def fold(self, displacements: Floats, absent: NDArray[np.bool_] | None = None) -> None:
        """Add a tile; zeros of ``absent`` rows add nothing."""
        x = displacements[..., :-1]
        self.square_sums(x, displacements[..., -1])
        sums = self.sums[:, :-1]
        # Into the first learner, and reduce adds row after row: one order whatever the tiles are.
        if not self.empty:
            np.add(sums, displacements[0], out=displacements[0])
        np.add.reduce(displacements, axis=0, out=sums)
        self.empty = False

    def finish(self, request: int = 0) -> bool:
        """Sum over the ranks and divide by P; never to be run again."""
        if self.empty:  # a rank without learners
            self.sums.fill(0.0)
        # The request takes a column of its own, so that a round needs no second Allreduce.
        self.sums[0, -1] = request
        self.comm.Allreduce(self.sums, self.totals)
        self.requested = int(self.totals[0, -1])
        np.divide(self.totals, self.P, out=self.totals)
        return True


MEANS: Final[dict[str, type[ExactMean] | type[PlainMean]]] = {
    "exact": ExactMean,
    "allreduce": PlainMean,
}
"""The means by their names in a settings file."""
