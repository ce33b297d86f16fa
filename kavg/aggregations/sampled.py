"""Participation: a random subset of the learners is averaged in each round."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, isinf
from typing import Annotated, Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from kavg.aggregations.addressed_words import DrawPurpose
from kavg.aggregations.subsets import draw_subsets, require_reset
from kavg.base import Floats, RoundDraw, RoundShares
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges


@final
@dataclass(frozen=True)
class SampledLearners:
    """FedAvg's participation: ``m`` of the P learners take part in a round, drawn anew in each.

    Every subset S of m learners is equally likely; it is drawn for each replica by itself, by the
    address (seed, n, replica), and is the same on all ranks.  With ``p_j = weights_j / sum
    weights``, or ``1/P`` without weights::

        d_n = (1/m) sum_{j in S} d_j                           without weights
        d_n = (P/m) sum_{j in S} p_j d_j                       scaling = "unbiased"
        d_n = sum_{j in S} p_j d_j / sum_{j in S} p_j          scaling = "normalised"

    where ``d_j = x_K^j - start``.  The first two have the mean ``sum_j p_j d_j`` over subsets
    (Horvitz and Thompson); the third, which most programs use, is biased where learners differ and
    their weights do as well (``sampled_fixed_point``).  The others are never read,
    whatever becomes of them.  The dispersion is that of the terms of the mean, ``d_j`` times their
    factors, about it.  ``m = P`` without weights is ``AllLearners`` to the last bit.

    Source: McMahan et al. 2016, arXiv 1602.05629, whose server divides by the weights of those who
    took part (normalised); the factor P/m is that of Li et al. 2019, arXiv 1907.02189, who apply it
    to models and not to displacements, with weights that need not sum to 1.

    >>> draw = RoundDraw(seed=1, n=1, R=1)
    >>> SampledLearners(m=2).share(range(3), P=3, K=8, draw=draw).takes_part.sum()
    np.int64(2)
    """

    kind = "sampled"
    same_bits = "any machine"
    m: Annotated[Count, "use m=P for all learners"]
    weights: tuple[Positive, ...] | None = None
    scaling: Literal["unbiased", "normalised"] = "unbiased"

    def __post_init__(self) -> None:
        check_ranges(self)
        # What displacements are multiplied by is at most P times a weight, over the sum.
        if self.weights and isinf(len(self.weights) * max(self.weights)):
            raise KavgError(
                f"weights must have a finite sum, got one of {max(self.weights):g}; divide all of "
                "them by the largest, as their proportions alone count"
            )

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless m learners exist, each with a weight, and carry no state."""
        P = method.P
        if self.m > P:
            raise KavgError(f"m must be at most P, got m={self.m} for P={P}; use m=P for all")
        if self.weights is not None and len(self.weights) != P:
            raise KavgError(
                f"weights must be one number for each of the P={P} learners, got "
                f"{len(self.weights)}; leave them out if all count alike"
            )
        require_reset(method.optimizer, "only some learners take part in a round")
        if self.m == 1 and method.optimizer.slots:
            raise KavgError(
                "m=1 leaves a single learner, and so no average at which the state of the "
                f"optimizer is reset, got {method.optimizer!r:.60}; use SGD, or m=2 or more"
            )

    def count_terms(self, P: int) -> int:
        """Return ``m``."""
        return self.m

    def count_steps(self, P: int, K: int) -> int:
        """Return ``m K``."""
        return self.m * K

    def share(self, learners: range, P: int, K: int, draw: RoundDraw) -> RoundShares:
        """Return who of these learners takes part, and the factors of their weights."""
        own = slice(learners.start, learners.stop)
        if self.m == P and self.weights is None:
            return RoundShares()
        chosen = draw_subsets(DrawPurpose.SUBSET, self.m, P, draw)
        factors = None if self.weights is None else self._factors(chosen, np.array(self.weights))
        return RoundShares(chosen[own], None if factors is None else factors[own])

    def _factors(self, chosen: NDArray[np.bool_], weights: Floats) -> Floats:
        """Return what displacements are multiplied by before the mean of m: ``(P, R or 1)``."""
        if self.scaling == "unbiased":
            # Not P (weights / sum): equal weights give 1 without rounding.
            return (weights * len(weights) / fsum(weights))[:, None]
        # Sums rounded once, as NumPy's order of adding depends on the processor.
        totals = [fsum(weights[column]) for column in chosen.T]
        return np.asarray(weights[:, None] * self.m / np.array(totals))
