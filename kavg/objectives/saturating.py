"""A bowl that levels out, with almost no gradient far from its minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import sum_over_coordinates
from kavg.ranges import Dimension, check_ranges


@final
@dataclass(frozen=True)
class Saturating:
    """``F(w) = sum_i w_i^2 / (1 + w_i^2)``: bounded, curvature from -1/2 to 2.

    The minimiser is 0.  A coordinate is the loss of Geman and McClure, as in
    ``RobustRegression``.  ``Logarithm`` also flattens, but grows without bound.

    >>> bowl = Saturating(dim=2)
    >>> float(bowl.value(np.array([0.0, 1e200]))), bowl.grad(np.ones(2), np.empty(2))
    (1.0, array([0.5, 0.5]))
    """

    kind = "saturating"
    same_bits = "any machine"
    dim: Dimension

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """2, exact.

        The curvature of a coordinate is ``2 (1 - 3 w^2) / (1 + w^2)^3``: 2 at 0, and at least
        -1/2, at ``w^2 = 1``.
        """
        return Constant(2.0, "exact", "curvature at 0; its least is -1/2, at 1")

    @property
    def f_star(self) -> Constant:
        """0, exact: every term is at least 0 and vanishes at 0."""
        return Constant(0.0, "exact", "a sum of squares that vanishes at 0")

    @property
    def minimiser(self) -> Floats:
        """0, the only stationary point."""
        return np.zeros(self.dim)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``.

        Beyond ``|w| = 2^60`` a term is 1 to rounding, so that squares need not overflow.
        """
        squares = np.square(np.minimum(np.abs(x), 2.0**60))
        return sum_over_coordinates(squares / (1.0 + squares))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``2 w / (1 + w^2)^2`` to ``out (..., d)`` and return it."""
        np.multiply(x, x, out=out)
        np.add(out, 1.0, out=out)
        np.divide(1.0, out, out=out)
        # Squared only now: (1 + w^2)^2 overflows where its reciprocal is merely 0.
        np.multiply(out, out, out=out)
        np.multiply(out, x, out=out)
        return np.multiply(out, 2.0, out=out)
