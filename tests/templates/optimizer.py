"""SGD on the sign of the gradient, with a slot of its own: the template of a local optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision
from kavg.ranges import Decay, check_ranges


@final
@dataclass(frozen=True)
class SignOfMean:
    """Steps by signs of a mean: ``m = beta m + (1 - beta) g``, ``x = x - gamma sign(m)``.

    Write here the recursion in the order of its paper, the paper, how the optimizer differs from
    its near twins, and a step by hand.

    >>> x, g, m = np.zeros((1, 1, 1)), np.full((1, 1, 1), 4.0), np.full((1, 1, 1, 1), -2.0)
    >>> SignOfMean(beta=0.5).plan(1, 1, 1, "float64")(x, g, m, np.array(0.25), 1)
    >>> x.item(), m.item()
    (-0.25, 1.0)
    """

    kind = "sign_of_mean"
    same_bits = "any machine"
    beta: Decay
    at_average: AtAverage = "reset"
    slots = 1  # arrays that a learner carries from step to step, zero at first

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step; workspace of ``(tile, R, d)`` is allocated here, and no other."""
        beta, rest = np.array(self.beta, dtype), np.array(1 - self.beta, dtype)

        def step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:
            m = slots[0]
            np.multiply(m, beta, out=m)
            np.multiply(g, rest, out=g)
            np.add(m, g, out=m)
            np.sign(m, out=g)
            np.multiply(g, gamma, out=g)
            np.subtract(x, g, out=x)

        return step
