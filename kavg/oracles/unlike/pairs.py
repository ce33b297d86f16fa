"""Factors of learners that come in pairs of opposite sign, so that their mean is 0."""

from __future__ import annotations

from math import sqrt

import numpy as np

from kavg.base import Floats, Indices
from kavg.errors import KavgError

LAST_THREE = sqrt(2) * np.array([1.0, -0.5, -0.5])
"""Factors with sum 0 and mean square 1, for the last three of an odd number of learners."""


def pair_factors(P: int, learners: range) -> tuple[Indices, Floats]:
    """Return the pair of each of these learners and its factor ``s_j``, two arrays ``(t,)``.

    The factors of a pair are 1 and -1; if P is odd the last three learners are one pair with
    ``LAST_THREE``.  Over all learners the sum of ``s_j`` is exactly 0 and the mean of ``s_j^2`` 1.

    >>> pair, s = pair_factors(5, range(5))
    >>> pair.tolist(), s.round(4).tolist()
    ([0, 0, 1, 1, 1], [1.0, -1.0, 1.4142, -0.7071, -0.7071])
    """
    j = np.arange(learners.start, learners.stop)
    last = P - 3 if P % 2 else P
    pair = np.where(j < last, j, last) // 2
    factor = np.where(j < last, 1.0 - 2.0 * (j % 2), LAST_THREE[np.maximum(j - last, 0)])
    return pair, factor


def refuse_one_learner(P: int, name: str, value: float) -> None:
    """Raise ``KavgError`` if one learner is to differ from the mean of all by ``name``."""
    if P == 1 and value > 0:
        raise KavgError(
            f"one learner cannot differ from the mean of all, got P=1 and {name}={value}; "
            f"use P of at least 2 or {name}=0"
        )
