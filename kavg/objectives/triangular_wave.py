"""The extremal function for smoothness: as curved as L allows, everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import Scalars, over_coordinates, scalars
from kavg.ranges import Dimension, Positive, check_ranges


@final
@dataclass(frozen=True)
class TriangularWave:
    """F whose derivative is a triangular wave: odd, ``F'' = +-slope`` everywhere, F(0) = 0.

    Parabolas of length ``period / 2`` in turn, up and down, so F is periodic; its minima are the
    multiples of ``period``.  It attains the bounds that only assume smoothness (docs/theory.md
    6.2); ``Cosine(lam=0)`` is its smooth companion.

    >>> wave = TriangularWave(dim=1, slope=1.0, period=4.0)
    >>> wave.grad(np.array([0.5, 1.0, 1.5, 2.0, 3.0]), np.empty(5))
    array([ 0.5,  1. ,  0.5,  0. , -1. ])
    """

    dim: Dimension
    slope: Positive = 1.0
    period: Positive = 4.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """``slope``."""
        return Constant(self.slope, "exact", "curvature is +-slope everywhere")

    @property
    def f_star(self) -> Constant:
        """Zero, at the multiples of ``period``."""
        return Constant(0.0, "exact", "F rises from its minimum at 0 for half a period")

    @cached_property
    def _numbers(self) -> Scalars:
        return scalars(self.period, 0.25, 0.25 * self.period, 0.5 * self.period, self.slope)

    def value(self, x: Floats) -> Floats:
        """F at every row: one parabola about 0, its mirror about half a period."""
        quarter = 0.25 * self.period
        t = np.remainder(np.abs(x), self.period)
        t = np.minimum(t, self.period - t)
        crest = quarter * quarter - 0.5 * np.square(2.0 * quarter - t)
        return over_coordinates(self.slope * np.where(t <= quarter, 0.5 * np.square(t), crest))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """``slope (q - |t|)``, q a quarter period, ``t = x - q`` brought to ``[-2q, 2q]``."""
        period, fourth, quarter, half, slope = self._numbers[x.dtype]
        np.divide(x, period, out=out)
        np.subtract(out, fourth, out=out)
        np.rint(out, out=out)
        np.multiply(out, period, out=out)
        np.subtract(x, out, out=out)
        np.subtract(out, quarter, out=out)
        np.abs(out, out=out)
        # Where neighbouring floats are further apart than a period, |t| can be anything.
        np.minimum(out, half, out=out)
        np.subtract(quarter, out, out=out)
        return np.multiply(out, slope, out=out)
