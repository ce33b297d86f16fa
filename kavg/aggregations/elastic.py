"""Elastic averaging: learners keep their iterates, and centre and learners pull each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kavg.base import Floats
from kavg.ranges import Share, check_ranges


@final
@dataclass(frozen=True)
class ElasticAveraging:
    """EASGD: learners go on from ``x^j - alpha (x^j - w)``, and the centre moves to their mean.

    After K steps of each learner from its own ``x^j``, with ``w`` the centre before the round::

        d = (1/P) sum_j (x^j - w)          one Allreduce
        x^j = x^j - alpha (x^j - w)
        w = step(w, d)                     the outer rule; Averaging(alpha=P alpha) is the paper's

    With ``AllLearners`` everyone goes on from the new ``w`` instead.

    Source: Zhang, Choromanska and LeCun 2015, arXiv 1412.6651; its period tau is our K.

    >>> x, w = np.array([[[2.0]]]), np.array([[0.0]])
    >>> ElasticAveraging(alpha=0.25).release(x, w)
    >>> x
    array([[[1.5]]])
    """

    kind = "elastic"
    same_bits = "any machine"
    alpha: Share

    def __post_init__(self) -> None:
        check_ranges(self)

    def check_method(self, method: Any) -> None:
        """Accept every method."""

    def release(self, x: Floats, w: Floats) -> None:
        """Pull the learners towards the centre: ``x = x - alpha (x - w)``."""
        # In blocks of one learner, so that the workspace does not grow with the tile.
        pull = np.empty_like(w)
        for one in x:
            np.subtract(one, w, out=pull)
            np.multiply(pull, self.alpha, out=pull)
            np.subtract(one, pull, out=one)
