"""The dispersion of a round's learners, by a second pass over them where a difference lost bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.elementary.sums import SquareSums
from kavg.engine.dispersion import Mask, SquaredDistances, find_lost
from kavg.engine.exact_mean import ExactMean
from kavg.engine.exact_sums import choose_exponents
from kavg.engine.means import Mean, Sums
from kavg.engine.ranks import Ranks

FoldAgain = Callable[[Sums], None]
"""Adds the displacements of this rank's learners to some sums, once more in the same round."""


@final
class RoundDispersion:
    """``(1/m) sum_j ||x_j - mean||^2`` of the m displacements that a mean has summed.

    ``m`` is P unless the aggregation averages fewer learners.
    ``shape`` is ``(R, d)``, and ``rows`` are those of a displacement, of which the first R count.
    Without ``can_repeat`` a second pass would draw other noise.
    """

    def __init__(
        self, ranks: Ranks, mean: Mean, m: int, shape: tuple[int, int], *, can_repeat: bool
    ) -> None:
        self.ranks, self.mean, self.m, self.shape = ranks, mean, m, shape
        self.can_repeat = can_repeat
        self.square_sums = SquareSums()

    def measure(self, fold_again: FoldAgain) -> Floats:
        """Return the dispersion of the round that the mean has finished, ``(R,)``.

        Where a second pass would draw other noise, it is the difference of squares, at least 0.
        """
        (R, _), floor = self.shape, self.mean.floor
        mean, square = self.mean.mean[:R], self.mean.square[:R]
        spread = np.empty(R)
        self.square_sums(mean[None], spread[None])
        np.subtract(square, spread, out=spread)
        lost = find_lost(spread, square, None if floor is None else floor[:R])
        if not np.count_nonzero(lost):
            return spread
        if self.m == 1:
            spread *= 0.0  # a NaN stays
            return spread
        if not self.can_repeat:
            return np.maximum(spread, 0.0, out=spread)
        spread[lost] = self.sum_distances(lost, fold_again)
        return spread

    def sum_distances(self, lost: Mask, fold_again: FoldAgain) -> Floats:
        """Return the dispersion of the replicas in ``lost`` by another pass over all learners."""
        ranks, exact = self.ranks, self.find_exact_mean(fold_again)
        # Rows of averaged slots have no part in it.
        rows = np.append(lost, np.zeros(len(exact.mean) - len(lost), np.bool_))
        distances = SquaredDistances(ranks.comm, self.m, exact.mean, exact.remainder(), rows)
        ranks.attempt(fold_again, None, distances)
        found = distances.finish(ranks.signal)
        ranks.check(distances.means.requested)
        return found

    def find_exact_mean(self, fold_again: FoldAgain) -> ExactMean:
        """Return the mean of this round, computed once more if it is the plain one."""
        if isinstance(self.mean, ExactMean):
            return self.mean
        ranks = self.ranks
        exact = ExactMean(ranks.comm, self.m, len(self.mean.mean), self.shape[1])
        exponents = choose_exponents(self.mean.square, default=exact.exponents)
        while True:
            exact.begin(exponents)
            ranks.attempt(fold_again, None, exact)
            done = exact.finish(ranks.signal)
            ranks.check(exact.requested)
            if done:
                return exact
            exponents = exact.exponents
