"""Rosenbrock's valley, for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats


@final
@dataclass(frozen=True)
class Rosenbrock:
    """``F(a, b) = (1 - a)^2 + 100 (b - a^2)^2``: a curved, flat valley to the minimum (1, 1).

    >>> valley = Rosenbrock()
    >>> valley.grad(np.array([0.0, 1.0]), np.empty(2))
    array([ -2., 200.])
    """

    @property
    def dim(self) -> int:
        """Two."""
        return 2

    @property
    def L(self) -> Constant:
        """Infinite: no step size is safe from everywhere."""
        return Constant(np.inf, "exact", "not globally smooth: the curvature grows as 1200 a^2")

    @property
    def f_star(self) -> Constant:
        """Zero, at (1, 1)."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at (1, 1)")

    def value(self, x: Floats) -> Floats:
        """F at every row."""
        a, b = x[..., 0], x[..., 1]
        F: Floats = np.square(1.0 - a) + 100.0 * np.square(b - a * a)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """``(2 (a - 1) - 400 a (b - a^2), 200 (b - a^2))``."""
        a, b = x[..., 0], x[..., 1]
        miss = b - a * a
        out[..., 0] = 2.0 * (a - 1.0) - 400.0 * a * miss
        out[..., 1] = 200.0 * miss
        return out
