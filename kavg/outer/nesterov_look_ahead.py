"""Nesterov block momentum whose meta-iterate is the look-ahead, as in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.outer.outer_step import move_along
from kavg.ranges import Momentum, Positive, check_ranges


@final
@dataclass(frozen=True)
class NesterovLookAhead:
    """PyTorch's Nesterov: ``v_{n+1} = mu v_n + d_n``, ``w_{n+1} = w_n + alpha (d_n + mu v_{n+1})``.

    This is ``torch.optim.SGD(lr=alpha, momentum=mu, nesterov=True)`` on the pseudo-gradient ``-d``,
    the outer rule of DiLoCo with ``alpha = 0.7`` and ``mu = 0.9``.  ``w`` is the look-ahead: the
    point at which learners start, and at which F is recorded.  ``NesterovMomentum`` is the same
    method with the anchor ``w - alpha mu v`` in place of ``w``.

    Source: Sutskever, Martens, Dahl and Hinton 2013, as PyTorch has it; Douillard et al. 2023,
    arXiv 2311.08105.

    >>> w, v = np.array([[0.0]]), np.array([[1.0]])
    >>> NesterovLookAhead(mu=0.5).step(w, v, displacement=np.array([[1.0]]), gamma=0.1)
    >>> w, v
    (array([[1.75]]), array([[1.5]]))
    """

    kind = "nesterov_look_ahead"
    same_bits = "any machine"
    mu: Momentum
    alpha: Positive = 1.0
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate, which is the look-ahead: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update ``v = mu v + d``, then move: ``w = w + alpha d + alpha mu v``."""
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        # Term by term, as the displacement is the only workspace.
        move_along(w, displacement, self.alpha, workspace=displacement)
        np.multiply(v, self.alpha * self.mu, out=displacement)
        np.add(w, displacement, out=w)
