"""A non-convex function with a Polyak-Lojasiewicz constant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import Scalars, as_scalars, sum_over_coordinates
from kavg.objectives.sine import sine
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

    @cached_property
    def _scalars(self) -> Scalars:
        return as_scalars(2.0, 1.5)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        return sum_over_coordinates(np.square(x) + 3.0 * np.square(np.sin(x)))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``2 w + 3 sin(2 w)`` to ``out (..., d)`` and return it."""
        two, ratio = self._scalars[x.dtype]
        # 2 (w + 3/2 sin(2 w)) needs no second array for 2 w.
        sine(x, 2.0, out)
        np.multiply(out, ratio, out=out)
        np.add(out, x, out=out)
        return np.multiply(out, two, out=out)


def _least_ratio() -> float:
    """Return the least ``F'(w)^2 / (2 F(w))`` of one coordinate.

    F is even and the ratio exceeds ``(2w - 3)^2 / (2 w^2 + 6) > 0.6`` beyond 4, so a grid over
    (0, 4] contains the minimum; each finer grid spans the neighbours of the best point before.
    """
    # Not from 0, where the ratio is 0/0.
    low, high = 0.001, 4.0
    for _ in range(6):
        w = np.linspace(low, high, 4001)
        ratio = np.square(2 * w + 3 * np.sin(2 * w)) / (2 * (w**2 + 3 * np.sin(w) ** 2))
        best = int(np.argmin(ratio))
        low, high = w[max(best - 1, 0)], w[min(best + 1, 4000)]
    return float(ratio[best])
