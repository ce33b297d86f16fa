"""Averaging: the meta-iterate becomes the mean of the learners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import Floats
from kavg.outer.outer_step import move_along
from kavg.ranges import Positive, check_ranges


@final
@dataclass(frozen=True)
class Averaging:
    """K-AVG: ``w_{n+1} = w_n + alpha d_n``, with ``alpha = 1`` the mean of the learners' models.

    The same bits as ``BlockMomentum(mu=0)``, without carrying ``v``.  Another outer step ``alpha``
    is the server's learning rate of FedAvg, and with ``P = 1`` the step of Lookahead.

    Source: Zhou and Cong 2018, arXiv 1708.01012; with an outer step, Reddi et al. 2020, arXiv
    2003.00295.

    >>> import numpy as np
    >>> w = np.array([[1.0]])
    >>> Averaging().step(w, np.empty(0), displacement=np.array([[-0.5]]), gamma=0.1)
    >>> w
    array([[0.5]])
    """

    # Without annotations, so that these are constants of the class and not fields.
    kind = "averaging"
    same_bits = "any machine"
    alpha: Positive = 1.0
    memory = False
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move along the mean displacement: ``w = w + alpha d``."""
        # Adding the displacement, not storing the mean of the models, gives BlockMomentum's bits.
        move_along(w, displacement, self.alpha, workspace=displacement)
