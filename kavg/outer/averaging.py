"""Averaging: the meta-iterate becomes the mean of the learners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats


@final
@dataclass(frozen=True)
class Averaging:
    """K-AVG: ``w_{n+1} = w_n + d_n``, the mean of the learners' models.

    The same bits as ``BlockMomentum(mu=0)``, without carrying ``v``.

    Source: Zhou and Cong 2018, arXiv 1708.01012.

    >>> w = np.array([[1.0]])
    >>> Averaging().step(w, np.empty(0), displacement=np.array([[-0.5]]), gamma=0.1)
    >>> w
    array([[0.5]])
    """

    # Without annotations, so that these are constants of the class and not fields.
    kind = "averaging"
    same_bits = "any machine"
    memory = False
    elementwise = True

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move to the mean of the learners: ``w = w + d``."""
        # Adding the displacement, not storing the mean of the models, gives BlockMomentum's bits.
        np.add(w, displacement, out=w)
