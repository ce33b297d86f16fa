"""Himmelblau's function in the plane: four minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import as_floats


@final
@dataclass(frozen=True)
class Himmelblau:
    """``F(a, b) = (a^2 + b - 11)^2 + (a + b^2 - 7)^2``: four minima, all with F = 0.

    They are at (3, 2) and near (-2.81, 3.13), (-3.78, -3.28) and (3.58, -1.85); which one a run
    reaches depends on the start and the noise.

    Source: Himmelblau 1972, "Applied Nonlinear Programming".

    >>> hills = Himmelblau()
    >>> float(hills.value(np.array([3.0, 2.0]))), hills.grad(np.zeros(2), np.empty(2))
    (0.0, array([-14., -22.]))
    """

    kind = "himmelblau"
    same_bits = "any machine"

    @property
    def dim(self) -> int:
        """2, the plane."""
        return 2

    @property
    def L(self) -> Constant:
        """Infinite, exact: the curvature grows as ``12 a^2``.

        So no step size is stable at every point, and theorems that assume smoothness do not apply.
        """
        return Constant(np.inf, "exact", "not globally smooth: the curvature grows as 12 a^2")

    @property
    def f_star(self) -> Constant:
        """0, exact: a sum of squares, both 0 at the four minimisers."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at (3, 2)")

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., 2) -> (...)``."""
        x = as_floats(x)
        a, b = x[..., 0], x[..., 1]
        F: Floats = np.square(a * a + b - 11.0) + np.square(a + b * b - 7.0)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``(4 a p + 2 q, 2 p + 4 b q)`` to ``out (..., 2)`` and return it.

        Here ``p = a^2 + b - 11`` and ``q = a + b^2 - 7``.
        """
        a, b = x[..., 0], x[..., 1]
        # Temporaries, as two coordinates are for pictures and not for speed.
        p, q = a * a + b - 11.0, a + b * b - 7.0
        out[..., 0] = 4.0 * a * p + 2.0 * q
        out[..., 1] = 2.0 * p + 4.0 * b * q
        return out
