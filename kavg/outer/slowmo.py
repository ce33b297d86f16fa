"""SlowMo: block momentum in units of gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.ranges import Momentum, Positive, check_ranges


@final
@dataclass(frozen=True)
class SlowMo:
    """SlowMo: ``u_{n+1} = mu u_n - d_n/gamma``, ``w_{n+1} = w_n - alpha gamma u_{n+1}``.

    The paper's ``beta`` is our ``mu``.  The memory ``u`` (passed as ``v``) is in units of gradient:
    each displacement is divided by the gamma of its own round.  With ``alpha = 1`` and a constant
    gamma this is ``BlockMomentum`` with ``u = -v/gamma``; when gamma changes from round to round
    the two are different methods.  With ``P = 1`` and ``mu = 0`` it is Lookahead.

    Source: Wang, Tantia, Ballas and Rabbat 2019, arXiv 1910.00643.

    >>> w, u = np.array([[0.0]]), np.array([[0.0]])
    >>> SlowMo(mu=0.5).step(w, u, displacement=np.array([[-2.0]]), gamma=0.5)
    >>> w, u
    (array([[-2.]]), array([[4.]]))
    """

    kind = "slowmo"
    same_bits = "any machine"
    mu: Momentum
    alpha: Positive = 1.0
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``u = mu u - d/gamma``, then move: ``w = w - alpha gamma u``.

        Overwrites ``displacement``, which saves a buffer of the size of the model.
        """
        np.multiply(v, self.mu, out=v)
        np.divide(displacement, gamma, out=displacement)
        np.subtract(v, displacement, out=v)
        # From here on ``displacement`` is workspace: a product of v needs a buffer of its own.
        np.multiply(v, self.alpha * gamma, out=displacement)
        np.subtract(w, displacement, out=w)
