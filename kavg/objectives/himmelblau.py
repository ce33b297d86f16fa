"""Himmelblau's four minima, for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats


@final
@dataclass(frozen=True)
class Himmelblau:
    """``F(a, b) = (a^2 + b - 11)^2 + (a + b^2 - 7)^2``: four minima, all with F = 0.

    One of them is (3, 2); which is found depends on the start and the noise.

    >>> hills = Himmelblau()
    >>> float(hills.value(np.array([3.0, 2.0]))), hills.grad(np.zeros(2), np.empty(2))
    (0.0, array([-14., -22.]))
    """

    @property
    def dim(self) -> int:
        """Two."""
        return 2

    @property
    def L(self) -> Constant:
        """Infinite: no step size is safe from everywhere."""
        return Constant(np.inf, "exact", "not globally smooth: the curvature grows as 12 a^2")

    @property
    def f_star(self) -> Constant:
        """Zero, at four points."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at (3, 2)")

    def value(self, x: Floats) -> Floats:
        """F at every row."""
        a, b = x[..., 0], x[..., 1]
        F: Floats = np.square(a * a + b - 11.0) + np.square(a + b * b - 7.0)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """``(4 a p + 2 q, 2 p + 4 b q)`` with ``p = a^2 + b - 11, q = a + b^2 - 7``."""
        a, b = x[..., 0], x[..., 1]
        p, q = a * a + b - 11.0, a + b * b - 7.0
        out[..., 0] = 4.0 * a * p + 2.0 * q
        out[..., 1] = 2.0 * p + 4.0 * b * q
        return out
