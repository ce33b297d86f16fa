"""Two wells a coordinate, with a ridge between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats, PlannedGradient, Precision
from kavg.elementary.log_cosh import log_cosh
from kavg.elementary.tanh import plan_tanh, tanh
from kavg.objectives.elementwise import as_floats, sum_over_coordinates, write_gradient
from kavg.ranges import Dimension, Positive, check_positive, check_ranges


@final
@dataclass(frozen=True)
class DoubleWell:
    """``F(w) = sum_i w_i^2/2 - a log cosh(b w_i)``: two wells a coordinate when ``a b^2 > 1``.

    Then the ``2^d`` minimisers have coordinates ``+-well``, the solutions of
    ``w = a b tanh(b w)`` other than 0, and all have the same value; 0 is a local maximum.  With
    ``a b^2 <= 1`` the minimiser is 0.

    >>> wells = DoubleWell(dim=1)
    >>> wells.L.value, round(wells.well, 6), round(wells.f_star.value, 6)
    (3.0, 1.998651, -1.307189)
    """

    kind = "double_well"
    same_bits = "any machine"
    dim: Dimension
    a: Positive = 1.0
    b: Positive = 2.0

    def __post_init__(self) -> None:
        check_ranges(self)
        check_positive("a*b^2", self.a * self.b * self.b)

    @property
    def L(self) -> Constant:
        """``max(1, a b^2 - 1)``, exact.

        The curvature of a coordinate, ``1 - a b^2 sech(b w)^2``, rises from ``1 - a b^2`` at 0
        towards 1 far out.
        """
        ridge = self.a * self.b * self.b - 1.0
        return Constant(max(1.0, ridge), "exact", "curvature 1 - a b^2 at 0, towards 1 far out")

    @cached_property
    def well(self) -> float:
        """The minimiser of one coordinate that is at least 0, to rounding."""
        return _largest_root(self.a * self.b * self.b) / self.b

    @cached_property
    def f_star(self) -> Constant:
        """``dim`` times F of one coordinate at ``well``, exact to rounding."""
        # With one well the minimum is F(0) = 0, which rounding could leave a little above 0.
        depth = min(0.0, float(self.value(np.array([self.well]))))
        return Constant(self.dim * depth, "exact", "F where w = a b tanh(b w), to rounding")

    @property
    def minimiser(self) -> Floats | None:
        """0 if there is one well a coordinate; None with two."""
        return np.zeros(self.dim) if self.well == 0 else None

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        x = as_floats(x)
        return sum_over_coordinates(0.5 * np.square(x) - self.a * log_cosh(self.b * x))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``w - a b tanh(b w)`` to ``out (..., d)`` and return it.

        Infinite numbers give NaN or infinity.
        """
        # Where a number is huge, an overflow meets a slope of 0.
        with np.errstate(over="ignore", under="ignore"):
            return write_gradient(DoubleWell.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate workspace for a block of tanh."""
        size = tile * R * self.dim
        return plan_tanh(self.b, -self.a * self.b, size=size, dtype=dtype, adds_x=True)


def _largest_root(c: float) -> float:
    """Return the largest u with ``u = c tanh u``, by Newton's method.

    ``u - c tanh u`` is convex for u > 0, so Newton's steps from c, right of the root, only go
    down; the first that does not is rounding.

    >>> _largest_root(0.5), round(_largest_root(4.0), 6)
    (0.0, 3.997303)
    """
    if c <= 1.0:
        return 0.0
    # The root is below c, as tanh is below 1.
    u, lower = 2.0 * c, c
    while 0.0 < lower < u:
        u, t = lower, float(tanh(np.array([lower]))[0])
        # Beyond 2^53 the divisor below would be 0.
        if t == 1.0:
            return u
        lower = u - (u - c * t) / (c * t * t - (c - 1.0))
    return u
