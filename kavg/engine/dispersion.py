"""The dispersion of learners about their mean: a difference of squares, or a second pass.

``(1/P) sum_j ||x_j - m||^2`` of displacements ``x_j`` with mean m is their mean square minus the
square of m.  The difference loses ``log2(mean square / dispersion)`` bits.  Where it lost more than
``LOST_BITS``, the squares ``||x_j - m||^2`` themselves are summed, about the exact mean: the
two-pass algorithm (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", Amer.
Statist. 37, 1983).  Both sums are exact, so neither tiles nor ranks change a bit of the result.
"""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Communicator, Floats
from kavg.elementary.sums import SquareSums
from kavg.engine.number_means import NumberMeans

Mask = NDArray[np.bool_]

LOST_BITS: Final = 10
"""Bits that the difference of squares may lose before a second pass."""
_LOSS: Final = np.array(float(2**LOST_BITS))  # NumPy multiplies by an array without axes faster


def find_lost(spread: Floats, square: Floats, floor: Floats | None) -> Mask:
    """Return the replicas ``(R,)`` whose difference ``spread`` of ``square`` lost too many bits.

    A square below ``floor`` is itself inexact.  A replica whose square is not finite has no
    dispersion and is not lost.

    >>> find_lost(np.array([1.0, 1e-6, 0.0, np.nan]), np.array([2.0, 1.0, 0.0, np.inf]), None)
    array([False,  True, False, False])
    """
    lost: Mask = np.multiply(spread, _LOSS) < square
    return lost if floor is None else lost | (square < floor)


@final
class SquaredDistances:
    """The mean over ``m`` learners of their squared distances, for the replicas of a mask.

    The exact mean is ``pilot + rest``, each ``(R, d)``: ``x_j - pilot`` is exact where the
    learners are close to each other, so the sum of both subtractions is accurate to the last place
    of the distance, and learners that are all alike have distance 0.
    """

    def __init__(self, comm: Communicator, m: int, pilot: Floats, rest: Floats, lost: Mask) -> None:
        self.lost = lost
        self.pilot, self.rest = pilot[lost], rest[lost]
        self.square_sums = SquareSums()
        self.means = NumberMeans(comm, m, int(np.count_nonzero(lost)))

    def fold(self, displacements: Floats, absent: Mask | None = None) -> None:
        """Add a tile, ``(t, R, d + 1)`` as in ``Mean.fold``; it is overwritten.

        Rows that are ``absent (t, R)`` have no distance.
        """
        # Of a batch of points few replicas may be lost, and the others would be computed for
        # nothing.
        if not self.lost.all():
            displacements = np.compress(self.lost, displacements, axis=1)
        x, squares = displacements[..., :-1], displacements[..., -1]
        np.subtract(x, self.pilot, out=x)
        np.subtract(x, self.rest, out=x)
        self.square_sums(x, squares)
        if absent is not None:
            squares[absent[:, self.lost]] = 0.0
        self.means.add(squares)

    def finish(self, request: int = 0) -> Floats:
        """Sum over the ranks and divide by m: ``(replicas,)``.  One ``Allreduce``."""
        return self.means.finish(request)
