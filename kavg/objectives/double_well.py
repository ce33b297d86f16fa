"""Two wells and a ridge between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import tanh
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import Scalars, over_coordinates, scalars
from kavg.ranges import Dimension, Positive, check_positive, check_ranges


@final
@dataclass(frozen=True)
class DoubleWell:
    """``F(w) = sum_i w_i^2/2 - a log cosh(b w_i)``: two wells a coordinate when ``a b^2 > 1``.

    The wells are at ``w = +-a b tanh(b |w|)`` and 0 is a ridge; with ``a b^2 <= 1`` there is one
    well, at 0.

    >>> wells = DoubleWell(dim=1)
    >>> wells.L.value, round(wells.well, 6), round(wells.f_star.value, 6)
    (3.0, 1.998651, -1.307189)
    """

    dim: Dimension
    a: Positive = 1.0
    b: Positive = 2.0

    def __post_init__(self) -> None:
        check_ranges(self)
        check_positive("a*b^2", self.a * self.b * self.b)

    @property
    def L(self) -> Constant:
        """``sup |1 - a b^2 sech(b w)^2|``: at the ridge, or far out where the curvature is 1."""
        ridge = self.a * self.b * self.b - 1.0
        return Constant(max(1.0, ridge), "exact", "curvature 1 - a b^2 at 0, towards 1 far out")

    @cached_property
    def well(self) -> float:
        """The minimiser of one coordinate, at least 0, to rounding."""
        return _root(self.a * self.b * self.b) / self.b

    @cached_property
    def f_star(self) -> Constant:
        """``dim`` times the depth of one well."""
        depth = min(0.0, float(self.value(np.array([self.well]))))
        return Constant(self.dim * depth, "exact", "F where w = a b tanh(b w), to rounding")

    @cached_property
    def _numbers(self) -> Scalars:
        return scalars(self.b, -self.a * self.b)

    def value(self, x: Floats) -> Floats:
        """F at every row, by ``log cosh z = |z| + log(1/2 + exp(-2|z|)/2)``: no overflow."""
        z = np.abs(self.b * x)
        log_cosh = z + np.log1p(0.5 * np.expm1(-2.0 * z))
        return over_coordinates(0.5 * np.square(x) - self.a * log_cosh)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """``w - a b tanh(b w)``."""
        b, slope = self._numbers[x.dtype]
        np.multiply(x, b, out=out)
        np.tanh(out, out=out)
        np.multiply(out, slope, out=out)
        return np.add(out, x, out=out)


def _root(c: float) -> float:
    """The largest u with ``u = c tanh u``.

    ``u - c tanh u`` is convex for u > 0, so Newton's steps from c, right of the root, only go
    down; the first that does not is rounding.

    >>> _root(0.5), round(_root(4.0), 6)
    (0.0, 3.997303)
    """
    if c <= 1.0:
        return 0.0
    u, lower = 2.0 * c, c
    while 0.0 < lower < u:
        u, t = lower, tanh(lower)
        lower = u - (u - c * t) / (c * t * t - (c - 1.0))
    return u
