"""Random words of aggregations, addressed by (seed, purpose, round, replica).

They are raw words of Philox, which are the same in every NumPy and on every machine.  The words of
a round follow each other replica after replica, so the first replicas' do not depend on how many
there are.  ``kavg.oracles.streams`` has other words, addressed by learner and local step.

Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats


class DrawPurpose(IntEnum):
    """The purpose of a draw, a part of its address: draws of different purposes are unrelated."""

    STALENESS = 1
    SUBSET = 2
    STRAGGLERS = 3


def draw_words(
    seed: int, purpose: DrawPurpose, n: int, shape: tuple[int, int]
) -> NDArray[np.uint64]:
    """Return the words of round ``n``, of shape ``(R, count)``.

    >>> one, two = (draw_words(7, DrawPurpose.STALENESS, 1, (R, 3)) for R in (1, 2))
    >>> bool((one == two[:1]).all())
    True
    """
    R, count = shape
    # Only the first word of the counter rises, by one for four words of the round.
    philox = np.random.Philox(
        key=np.array([seed, purpose], np.uint64), counter=np.array([0, 0, n, 0], np.uint64)
    )
    return philox.random_raw(R * count).reshape(R, count)


def to_uniform(words: NDArray[np.uint64]) -> Floats:
    """Return words as numbers of ``[0, 1)``: multiples of ``2^-53``, exactly.

    >>> to_uniform(np.array([0, 2**63, 2**64 - 1], np.uint64)) * 2.0**53
    array([0.00000000e+00, 4.50359963e+15, 9.00719925e+15])
    """
    return np.asarray((words >> np.uint64(11)) * 2.0**-53)
