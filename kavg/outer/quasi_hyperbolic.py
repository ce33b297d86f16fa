"""Quasi-hyperbolic momentum: a weighted mean of a plain step and a momentum step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.ranges import Momentum, Positive, Share, check_ranges


@final
@dataclass(frozen=True)
class QuasiHyperbolic:
    """QHM: ``v = mu v + d``, ``w = w + alpha [(1 - nu) d + nu (1 - mu) v]``.

    The paper's ``beta`` is our ``mu``, and its momentum buffer, a filter of weight ``1 - beta``, is
    ``g = (1 - mu) v``.  As all weights sum to 1, w moves by ``alpha`` a round in the end where
    every learner moves by 1, and not by ``alpha/(1 - mu)`` as with ``BlockMomentum``.

    ``nu = 0`` is ``Averaging(alpha)`` and ``nu = 1`` is ``BlockMomentum(mu, alpha (1 - mu))``, bit
    for bit; ``nu = mu`` is ``NesterovLookAhead(mu, alpha (1 - mu))``.  The paper recommends
    ``nu = 0.7`` with ``mu = 0.999``.

    Source: Ma and Yarats 2018, arXiv 1810.06801.

    >>> w, v = np.array([[0.0]]), np.array([[2.0]])
    >>> QuasiHyperbolic(mu=0.5, nu=0.5).step(w, v, displacement=np.array([[1.0]]), gamma=0.1)
    >>> w, v
    (array([[1.]]), array([[2.]]))
    """

    kind = "quasi_hyperbolic"
    same_bits = "any machine"
    mu: Momentum
    nu: Share
    alpha: Positive = 1.0
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``v = mu v + d``; then move along ``d`` and along ``v``, by their weights."""
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        np.multiply(displacement, self.alpha * (1.0 - self.nu), out=displacement)
        np.add(w, displacement, out=w)
        # In this order, so that nu = 1 leaves the alpha (1 - mu) of BlockMomentum.
        np.multiply(v, self.nu * (self.alpha * (1.0 - self.mu)), out=displacement)
        np.add(w, displacement, out=w)
