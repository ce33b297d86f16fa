"""A non-convex function with a Polyak-Lojasiewicz constant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats, PlannedGradient, Precision
from kavg.elementary.sine import sine
from kavg.objectives.elementwise import as_floats, sum_over_coordinates, write_gradient
from kavg.objectives.ripples import RippleGradient
from kavg.ranges import Dimension, check_ranges


@final
@dataclass(frozen=True)
class SineBowl:
    """``F(w) = sum_i w_i^2 + 3 sin(w_i)^2``: not convex, and 0 its only stationary point.

    The minimiser is 0.  ``Cosine`` has the same shape with free parameters, and no known ``pl``.

    Source: Karimi, Nutini and Schmidt 2016, who give 1/32 for ``pl``; the sharp constant is over
    five times that (docs/theory.md 6.2).

    >>> bowl = SineBowl(dim=3)
    >>> bowl.L.value, round(bowl.pl.value, 4)
    (8.0, 0.1755)
    """

    kind = "sine_bowl"
    same_bits = "any machine"
    dim: Dimension

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """8, exact.

        The curvature of a coordinate is ``2 + 6 cos(2 w)``: 8 at 0, and at least -4.
        """
        return Constant(8.0, "exact", "curvature at 0; its least is -4, at pi/2")

    @property
    def f_star(self) -> Constant:
        """0, exact: a sum of squares, all 0 at 0."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at 0")

    @cached_property
    def pl(self) -> Constant:
        """The largest m with ``||grad F||^2 >= 2 m F``, exact to rounding.

        Both sides are sums over the coordinates, so the inequality holds for all w if and only if
        it holds for one coordinate.
        """
        return Constant(_least_ratio(), "exact", "least F'^2 / 2F of one coordinate, to rounding")

    @property
    def minimiser(self) -> Floats:
        """0, the only stationary point."""
        return np.zeros(self.dim)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        x = as_floats(x)
        return sum_over_coordinates(np.square(x) + 3.0 * np.square(sine(x, 1.0, np.empty_like(x))))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``2 w + 3 sin(2 w)`` to ``out (..., d)`` and return it."""
        return write_gradient(SineBowl.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate workspace for the sines of a block."""
        return RippleGradient(2.0, 3.0, 2.0, rows=tile * R, dim=self.dim, dtype=dtype)


def _least_ratio() -> float:
    """Return the least ``F'(w)^2 / (2 F(w))`` of one coordinate.

    F is even and the ratio exceeds ``(2w - 3)^2 / (2 w^2 + 6) > 0.6`` beyond 4, so a grid over
    (0, 4] contains the minimum; each finer grid spans the neighbours of the best point before.
    """
    # Not from 0, where the ratio is 0/0.
    low, high = 0.001, 4.0
    for _ in range(6):
        w = np.linspace(low, high, 4001)
        slope = 2 * w + 3 * sine(w, 2.0, np.empty_like(w))
        ratio = np.square(slope) / (
            2 * (np.square(w) + 3 * np.square(sine(w, 1.0, np.empty_like(w))))
        )
        best = int(np.argmin(ratio))
        low, high = w[max(best - 1, 0)], w[min(best + 1, 4000)]
    return float(ratio[best])
