"""Random subsets of learners, addressed by (seed, purpose, round, replica)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kavg.aggregations.addressed_words import DrawPurpose, draw_words
from kavg.base import LocalOptimizer, RoundDraw
from kavg.errors import KavgError


def draw_subsets(purpose: DrawPurpose, m: int, P: int, draw: RoundDraw) -> NDArray[np.bool_]:
    """Return who is among the ``m`` of ``P`` learners drawn for each replica, ``(P, R)``.

    They are the learners of the m smallest of P random words, so that every subset is equally
    likely; of equal words the first learner's counts as smaller.

    >>> draw_subsets(DrawPurpose.SUBSET, 2, 5, RoundDraw(seed=1, n=1, R=3)).sum(axis=0)
    array([2, 2, 2])
    """
    chosen = np.zeros((P, draw.R), np.bool_)
    words = draw_words(draw.seed, purpose, draw.n, (draw.R, P))
    for replica, row in enumerate(words):
        # A stable sort has one result, whatever algorithm and processor.
        chosen[np.argsort(row, kind="stable")[:m], replica] = True
    return chosen


def require_reset(optimizer: LocalOptimizer, why: str) -> None:
    """Raise ``KavgError`` if an optimizer has state that is not reset at the average."""
    if optimizer.slots > 0 and optimizer.at_average != "reset":
        raise KavgError(
            f"the state of the optimizer must be reset at the average where {why}, got "
            f"at_average={optimizer.at_average!r}; use 'reset', or AllLearners"
        )
