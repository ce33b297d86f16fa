"""A bowl that grows as the logarithm: smooth, not convex, unbounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.elementary.logarithm import log1p
from kavg.objectives.elementwise import as_floats, sum_over_coordinates
from kavg.ranges import Dimension, check_ranges


@final
@dataclass(frozen=True)
class Logarithm:
    """``F(w) = sum_i log(1 + w_i^2)``: unbounded, curvature from -1/4 to 2.

    The minimiser is 0.  A coordinate is the Cauchy loss of robust statistics.  ``Saturating`` also
    flattens, and stays below ``dim``.

    >>> bowl = Logarithm(dim=2)
    >>> float(bowl.value(np.zeros(2))), bowl.grad(np.ones(2), np.empty(2))
    (0.0, array([1., 1.]))
    """

    kind = "logarithm"
    same_bits = "any machine"
    dim: Dimension

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """2, exact.

        The curvature of a coordinate is ``2 (1 - w^2) / (1 + w^2)^2``: 2 at 0, and at least
        -1/4, at ``w^2 = 3``.
        """
        return Constant(2.0, "exact", "curvature at 0; its least is -1/4, at sqrt(3)")

    @property
    def f_star(self) -> Constant:
        """0, exact: every term is at least 0 and vanishes at 0."""
        return Constant(0.0, "exact", "every term is at least 0 and vanishes at 0")

    @property
    def minimiser(self) -> Floats:
        """0, the only stationary point."""
        return np.zeros(self.dim)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        return sum_over_coordinates(log1p(np.square(as_floats(x))))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``2 w / (1 + w^2)`` to ``out (..., d)`` and return it."""
        # Where the square overflows to infinity the quotient is 0, as it should be.
        np.multiply(x, x, out=out)
        np.add(out, 1.0, out=out)
        np.divide(x, out, out=out)
        return np.multiply(out, 2.0, out=out)
