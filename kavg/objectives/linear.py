"""A linear function: paths that can be computed by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import sum_over_coordinates
from kavg.ranges import Dimension, Finite, check_ranges


@final
@dataclass(frozen=True)
class Linear:
    """``F(w) = slope sum_i w_i``: the gradient is constant, so noise-free paths are exact sums.

    There is no minimiser unless ``slope = 0``.  Exact moments: docs/theory.md 4.5.

    >>> Linear(dim=2, slope=3.0).grad(np.zeros(2), np.empty(2))
    array([3., 3.])
    """

    kind = "linear"
    same_bits = "any machine"
    dim: Dimension
    slope: Finite = 1.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """0, exact: the gradient is constant."""
        return Constant(0.0, "exact", "the gradient is constant")

    @property
    def f_star(self) -> Constant:
        """Minus infinity, exact; 0 if ``slope = 0``."""
        if self.slope == 0:
            return Constant(0.0, "exact", "F is 0 everywhere")
        return Constant(-np.inf, "exact", "a slope leaves F unbounded below")

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        return sum_over_coordinates(self.slope * x)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``slope`` to every coordinate of ``out (..., d)`` and return it."""
        out.fill(self.slope)
        return out
