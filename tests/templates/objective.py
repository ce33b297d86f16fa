"""A bowl that becomes a cone: the template of an objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats
from kavg.objectives.elementwise import sum_over_coordinates
from kavg.ranges import Dimension, check_ranges


@final
@dataclass(frozen=True)
class FlatBowl:
    """``F(w) = sum_i sqrt(1 + w_i^2) - 1``: a bowl that becomes a cone.

    The minimiser is 0.  Write here what the function is for, how it differs from its near twins,
    where it comes from, and an example.

    >>> bowl = FlatBowl(dim=2)
    >>> float(bowl.value(np.zeros(2))), bowl.grad(np.zeros(2), np.empty(2))
    (0.0, array([0., 0.]))
    """

    kind = "flat_bowl"
    same_bits = "one kind of machine"
    dim: Dimension

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """1, exact: the curvature of a coordinate is ``(1 + w^2)^(-3/2)``, largest at 0."""
        return Constant(1.0, "exact", "curvature at 0, which is the largest")

    @property
    def f_star(self) -> Constant:
        """0, exact: every term is at least 0 and vanishes at 0."""
        return Constant(0.0, "exact", "attained at 0")

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        # x^2 / (1 + sqrt(1 + x^2)) loses no digits near 0, as sqrt(1 + x^2) - 1 would.
        root = np.hypot(1.0, x)
        return sum_over_coordinates(x * (x / (1.0 + root)))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``w / sqrt(1 + w^2)`` to ``out (..., d)`` and return it."""
        np.hypot(1.0, x, out=out)
        return np.divide(x, out, out=out)
