"""Rosenbrock's function in the plane: a curved valley."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import as_floats


@final
@dataclass(frozen=True)
class Rosenbrock:
    """``F(a, b) = (1 - a)^2 + 100 (b - a^2)^2``: a curved, flat valley to the minimum (1, 1).

    The minimiser is unique.  Along the valley ``b = a^2`` the gradient is small, across it large.

    Source: Rosenbrock 1960, "An automatic method for finding the greatest or least value of a
    function".

    >>> valley = Rosenbrock()
    >>> valley.grad(np.array([0.0, 1.0]), np.empty(2))
    array([ -2., 200.])
    """

    kind = "rosenbrock"
    same_bits = "any machine"

    @property
    def dim(self) -> int:
        """2, the plane."""
        return 2

    @property
    def L(self) -> Constant:
        """Infinite, exact: the curvature grows as ``1200 a^2``.

        So no step size is stable at every point, and theorems that assume smoothness do not apply.
        """
        return Constant(np.inf, "exact", "not globally smooth: the curvature grows as 1200 a^2")

    @property
    def f_star(self) -> Constant:
        """0, exact: a sum of squares, both 0 at (1, 1)."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at (1, 1)")

    @property
    def minimiser(self) -> Floats:
        """``(1, 1)``."""
        return np.ones(2)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., 2) -> (...)``."""
        x = as_floats(x)
        a, b = x[..., 0], x[..., 1]
        F: Floats = np.square(1.0 - a) + 100.0 * np.square(b - a * a)
        return F

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``(2 (a - 1) - 400 a p, 200 p)`` to ``out (..., 2)`` and return it.

        Here ``p = b - a^2`` is the offset from the floor of the valley.
        """
        a, b = x[..., 0], x[..., 1]
        offset = b - a * a
        out[..., 0] = 2.0 * (a - 1.0) - 400.0 * a * offset
        out[..., 1] = 200.0 * offset
        return out
