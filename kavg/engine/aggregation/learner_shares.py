"""What the learners of a rank contribute to a round: who takes part, by what factor and steps."""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, RoundDraw, RoundShares, WeighsLearners

ALIKE = RoundShares()
FEW: Final = 16
"""A tile of which less than 1 in so many learners take part is not computed whole.

A call for a single learner takes about as long as a step of 16 of them.
"""


@final
class LearnerShares:
    """The shares of this rank's learners in each round, as the aggregation has them.

    A tile is weighed once, when its displacements have been computed; those who take no part become
    rows of zeros, which add nothing to any sum, so that their numbers are never read.
    """

    def __init__(self, law: WeighsLearners, own: range, P: int, R: int, seed: int) -> None:
        self.law, self.own, self.P, self.R, self.seed = law, own, P, R, seed
        self.now = ALIKE

    def begin(self, n: int, K: int) -> None:
        """Begin round ``n`` of ``K`` local steps."""
        self.now = self.law.share(self.own, self.P, K, RoundDraw(self.seed, n, self.R))

    def list_parts(self, learners: range) -> list[range]:
        """Return those of a tile whose steps are taken together: all of it, or single learners.

        Where few take part, in any replica, no steps are taken for the others.
        """
        takes_part = self.now.takes_part
        if takes_part is None:
            return [learners]
        who = np.flatnonzero(takes_part[self._places(learners)].any(axis=1))
        if len(who) * FEW > len(learners):
            return [learners]
        return [learners[j : j + 1] for j in who.tolist()]

    def find_absent(self, learners: range) -> NDArray[np.bool_] | None:
        """Return which rows ``(t, R)`` take no part; None if all do."""
        takes_part = self.now.takes_part
        return None if takes_part is None else ~takes_part[self._places(learners)]

    def count_steps(self, learners: range) -> NDArray[np.int64] | None:
        """Return the local steps of these learners, ``(t, R)`` or ``(t, 1)``; None if all have K.

        None also where none of the learners has steps of its own.
        """
        return None if self.now.K is None else self.now.K[self._places(learners)]

    def weigh(self, learners: range, displacements: Floats) -> None:
        """Multiply displacements ``(t, R, d + 1)`` by their factors, and empty the absent rows."""
        x, factors, absent = displacements[..., :-1], self.now.factors, self.find_absent(learners)
        if factors is not None:
            np.multiply(x, factors[self._places(learners)][..., None], out=x)
        if absent is not None:
            # The zero that changes no number it is added to, not even the other zero.
            np.copyto(x, -0.0, where=absent[..., None])

    def _places(self, learners: range) -> slice:
        return slice(learners.start - self.own.start, learners.stop - self.own.start)
