"""Stragglers: some learners, drawn anew in each round, take fewer local steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from kavg.aggregations.addressed_words import DrawPurpose
from kavg.aggregations.own_steps import StepWeights, check_optimizer, share_steps
from kavg.aggregations.subsets import draw_subsets
from kavg.base import RoundDraw, RoundShares
from kavg.errors import KavgError
from kavg.ranges import Count, check_ranges
from kavg.text import shorten_repr


@final
@dataclass(frozen=True)
class Stragglers:
    """In each round ``slow`` of the P learners, drawn anew, take ``K_slow`` steps in place of K.

    The mean is that of ``OwnSteps``, plain or with FedNova's weights.  Who is slow is drawn for
    each replica by itself, by the address (seed, n, replica), and is the same on all ranks.  As
    everyone is slow equally often, the plain mean has no bias where learners differ, and more
    variance.  ``K_slow = K`` is ``AllLearners`` to the last bit.

    Source: Wang, Liu, Liang, Joshi and Poor 2020, arXiv 2007.07481.

    >>> shares = Stragglers(slow=1, K_slow=2).share(range(3), 3, 8, RoundDraw(seed=1, n=1, R=1))
    >>> sorted(shares.K[:, 0].tolist())
    [2, 8, 8]
    """

    kind = "stragglers"
    same_bits = "any machine"
    slow: Annotated[Count, "use AllLearners if nobody is slow"]
    K_slow: Annotated[Count, "each learner takes a step in every round"]
    weights: StepWeights = "plain"

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_method(self, method: Any) -> None:
        """Raise ``KavgError`` unless ``slow <= P`` and ``K_slow <= K``, which is constant."""
        if self.slow > method.P:
            raise KavgError(f"slow must be at most P={method.P}, got slow={self.slow}")
        if callable(method.K) or self.K_slow > method.K:
            raise KavgError(
                f"K_slow must be at most a constant K, got K_slow={self.K_slow} and "
                f"K={shorten_repr(method.K)}"
            )
        check_optimizer(method, self.weights)

    def count_terms(self, P: int) -> int:
        """Return P: all learners are averaged."""
        return P

    def count_steps(self, P: int, K: int) -> int:
        """Return ``(P - slow) K + slow K_slow``."""
        return (P - self.slow) * K + self.slow * self.K_slow

    def share(self, learners: range, P: int, K: int, draw: RoundDraw) -> RoundShares:
        """Return the steps of these learners in the round, and their factors."""
        is_slow = draw_subsets(DrawPurpose.STRAGGLERS, self.slow, P, draw)
        own = np.where(is_slow[learners.start : learners.stop], self.K_slow, K).astype(np.int64)
        return share_steps(own, self.count_steps(P, K), P, self.weights)
