"""The extremal function for smoothness: its curvature is +-L everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import Scalars, as_scalars, sum_over_coordinates
from kavg.ranges import Dimension, Positive, check_ranges


@final
@dataclass(frozen=True)
class TriangularWave:
    """F whose derivative is a triangular wave: odd, ``F'' = +-slope`` everywhere, F(0) = 0.

    A coordinate of F is periodic: parabolas of length ``period / 2``, upward and downward in turn.
    The minimisers are the points whose coordinates are multiples of ``period``.  F attains the
    bounds that assume smoothness only (docs/theory.md 6.2); ``Cosine(lam=0)`` is periodic too, and
    analytic.

    >>> wave = TriangularWave(dim=1, slope=1.0, period=4.0)
    >>> wave.grad(np.array([0.5, 1.0, 1.5, 2.0, 3.0]), np.empty(5))
    array([ 0.5,  1. ,  0.5,  0. , -1. ])
    """

    kind = "triangular_wave"
    same_bits = "any machine"
    dim: Dimension
    slope: Positive = 1.0
    period: Positive = 4.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """``slope``, exact: the curvature is ``+-slope`` wherever it exists."""
        return Constant(self.slope, "exact", "curvature is +-slope everywhere")

    @property
    def f_star(self) -> Constant:
        """0, exact: F rises from 0 at 0 for half a period, and is even and periodic."""
        return Constant(0.0, "exact", "F rises from its minimum at 0 for half a period")

    @cached_property
    def _scalars(self) -> Scalars:
        return as_scalars(self.period, 0.25, 0.25 * self.period, 0.5 * self.period, self.slope)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``.

        With t the distance to the nearest multiple of ``period``: a parabola about 0 up to a
        quarter period, then its mirror image about half a period.
        """
        quarter = 0.25 * self.period
        t = np.remainder(np.abs(x), self.period)
        t = np.minimum(t, self.period - t)
        crest = quarter * quarter - 0.5 * np.square(2.0 * quarter - t)
        return sum_over_coordinates(self.slope * np.where(t <= quarter, 0.5 * np.square(t), crest))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``slope (q - |t|)`` to ``out (..., d)`` and return it.

        q is a quarter period, and ``t = x - q`` less the nearest multiple of ``period``, so that
        ``|t| <= 2q``.
        """
        period, fourth, quarter, half, slope = self._scalars[x.dtype]
        np.divide(x, period, out=out)
        np.subtract(out, fourth, out=out)
        np.rint(out, out=out)
        np.multiply(out, period, out=out)
        np.subtract(x, out, out=out)
        np.subtract(out, quarter, out=out)
        np.abs(out, out=out)
        # Where neighbouring floats are further apart than a period, |t| can exceed 2q.
        np.minimum(out, half, out=out)
        np.subtract(quarter, out, out=out)
        return np.multiply(out, slope, out=out)
