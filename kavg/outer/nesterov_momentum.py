"""Nesterov block momentum: learners start from the look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.ranges import Momentum, check_ranges


@final
@dataclass(frozen=True)
class NesterovMomentum:
    """Nesterov block momentum: as ``BlockMomentum``, but learners start from ``y = w + mu v``.

    The anchor ``w`` and the look-ahead ``y`` are kept apart: ``w_{n+1}`` is the mean of the
    learners and not a further look-ahead.  Code that keeps the look-ahead as the next anchor is
    another method, with ``1 + mu`` times the steady displacement (docs/theory.md, section 4.8).

    >>> y = np.empty((1, 1))
    >>> NesterovMomentum(mu=0.5).start(np.array([[1.0]]), np.array([[1.0]]), y)
    >>> y
    array([[1.5]])
    """

    kind = "nesterov"
    same_bits = "any machine"
    mu: Momentum
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the look-ahead: ``out = w + mu v``."""
        np.multiply(v, self.mu, out=out)
        np.add(w, out, out=out)

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Move to the mean of the learners: ``v = mu v + d``, ``w = w + v``.

        The mean is ``w + mu v + d``, as ``displacement`` is counted from the look-ahead.
        """
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        np.add(w, v, out=w)
