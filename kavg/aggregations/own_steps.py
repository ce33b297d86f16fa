"""Learners with their own numbers of local steps: stragglers, and FedNova's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from kavg.aggregations.subsets import require_reset
from kavg.base import Floats, RoundDraw, RoundShares
from kavg.errors import KavgError
from kavg.ranges import Count, check_ranges
from kavg.text import shorten_repr

StepWeights = Literal["plain", "fednova"]
"""How displacements of unequal numbers of steps are averaged."""
MIXED: Final = "learners take different numbers of local steps"


@final
@dataclass(frozen=True)
class OwnSteps:
    """Learner j takes ``Ks[j]`` local steps in every round; the ``K`` is the largest of them.

    With ``d_j = x_{K_j}^j - start`` after the learner's own steps::

        d_n = (1/P) sum_j d_j                            weights = "plain"
        d_n = (1/P) sum_j (tau / K_j) d_j                weights = "fednova"
        tau = (1/P) sum_j K_j

    Plain averages favour those who take more steps: on quadratics that differ by shift the run
    ends at ``sum_j K_j c_j / sum_j K_j`` for small steps, where FedNova's weights lead to the mean
    of the optima ``c_j`` (``own_steps_fixed_point``).  The dispersion is that of the terms
    of the mean, the ``d_j`` times their factors.  Equal ``Ks`` are ``AllLearners`` to the last bit.
    ``Stragglers`` draws who is slow.

    Source: Wang, Liu, Liang, Joshi and Poor 2020, arXiv 2007.07481; for local steps of SGD, whose
    normalising vector has the sum K_j.

    >>> OwnSteps(Ks=(2, 4), weights="fednova").share(range(2), 2, 4, RoundDraw(0, 1, 1)).factors
    array([[1.5 ],
           [0.75]])
    """

    kind = "own_steps"
    same_bits = "any machine"
    Ks: tuple[Annotated[Count, "each learner takes a step in every round"], ...]
    weights: StepWeights = "plain"

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless there is one number a learner, of which K is the largest."""
        if len(self.Ks) != method.P:
            raise KavgError(
                f"Ks must be one number of steps for each of the P={method.P} learners, got "
                f"{len(self.Ks)}"
            )
        if max(self.Ks) != method.K:
            raise KavgError(
                f"K must be the largest of Ks, got K={shorten_repr(method.K)} and max(Ks)="
                f"{max(self.Ks)}; use K={max(self.Ks)}"
            )
        check_optimizer(method, self.weights)

    def count_terms(self, P: int) -> int:
        """Return P: all learners are averaged."""
        return P

    def count_steps(self, P: int, K: int) -> int:
        """Return ``sum_j K_j``."""
        return sum(self.Ks)

    def share(self, learners: range, P: int, K: int, draw: RoundDraw) -> RoundShares:
        """Return the steps of these learners, and their factors."""
        own = np.array(self.Ks[learners.start : learners.stop], np.int64)[:, None]
        return share_steps(own, sum(self.Ks), P, self.weights)


def share_steps(own: NDArray[np.int64], total: int, P: int, weights: StepWeights) -> RoundShares:
    """Return the shares of learners with these numbers of steps ``(learners, R or 1)``.

    ``total`` is the sum over all P learners.
    """
    factors: Floats | None = None
    if weights == "fednova":
        # One division of whole numbers, so that equal numbers of steps give 1 exactly.
        factors = np.asarray(total / (P * own))
    return RoundShares(factors=factors, K=own)


def check_optimizer(method: Any, weights: StepWeights) -> None:
    """Raise ``KavgError`` if the optimizer's state does not suit numbers of steps that differ."""
    require_reset(method.optimizer, MIXED)
    if weights == "fednova" and method.optimizer.slots:
        raise KavgError(
            f"FedNova's weights here are those of local steps without momentum, got "
            f"{method.optimizer!r:.60}; use SGD, or weights='plain'"
        )
