"""Nesterov block momentum: learners start from the look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.outer.outer_step import move_along
from kavg.ranges import Momentum, Positive, check_ranges


@final
@dataclass(frozen=True)
class NesterovMomentum:
    """Nesterov block momentum: as ``BlockMomentum``, but learners start from ``w + alpha mu v``.

    The anchor ``w`` and the look-ahead ``y = w + alpha mu v`` are kept apart: ``w_{n+1}`` is
    ``y + alpha d``, with ``alpha = 1`` the mean of the learners, and not a further look-ahead.
    ``NesterovLookAhead`` is the same method whose ``w`` is the look-ahead: PyTorch's form, where
    learners take the same paths and F is recorded at ``y``.  Code that keeps the look-ahead as the
    next anchor is another method, with ``1 + mu`` times the steady displacement (docs/theory.md,
    section 4.8).

    >>> y = np.empty((1, 1))
    >>> NesterovMomentum(mu=0.5).start(np.array([[1.0]]), np.array([[1.0]]), y)
    >>> y
    array([[1.5]])
    """

    kind = "nesterov"
    same_bits = "any machine"
    mu: Momentum
    alpha: Positive = 1.0
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the look-ahead: ``out = w + alpha mu v``."""
        # 1 mu has the bits of mu, so that alpha costs no pass over v.
        np.multiply(v, self.alpha * self.mu, out=out)
        np.add(w, out, out=out)

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move from the anchor: ``v = mu v + d``, ``w = w + alpha v``.

        This is ``y + alpha d``, as ``displacement`` is counted from the look-ahead ``y``.
        """
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        move_along(w, v, self.alpha, workspace=displacement)
