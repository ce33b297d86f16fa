"""What the learners of a rank contribute to a round: who takes part, by what factor and steps."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, RoundDraw, RoundShares, WeighsLearners

ALIKE = RoundShares()


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

    def has_part(self, learners: range) -> bool:
        """True if one of these learners takes part, in some replica."""
        takes_part = self.now.takes_part
        return takes_part is None or bool(takes_part[self._places(learners)].any())

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
