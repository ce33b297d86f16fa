"""A bowl with ripples on ripples: basins inside basins, on two scales."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Constant, Floats, PlannedGradient, Precision
from kavg.elementary.block_function import BlockFunction
from kavg.objectives.cosine import Cosine
from kavg.objectives.elementwise import write_gradient
from kavg.objectives.ripples import RippleGradient
from kavg.ranges import Dimension, NonNegative, Positive, check_not_negative, check_ranges


@final
@dataclass(frozen=True)
class NestedRipples:
    """``F(w) = sum_i lam/2 w_i^2 + A (1 - cos(omega w_i)) + fine_A (1 - cos(fine_omega w_i))``.

    Broad basins of depth about ``2 A`` hold narrow ones of depth about ``2 fine_A``, all in one
    bowl; the minimiser is 0.  It tells scales apart: noise and steps that cross the narrow basins
    and not the broad ones make a method act on the broad ones alone, and the average of learners
    that lie in different narrow basins of one broad basin is a better point than any of them.
    ``Cosine`` has one scale.

    >>> F = NestedRipples(dim=2)
    >>> F.L.value, float(F.value(np.zeros(2)))
    (15.0, 0.0)
    """

    kind = "nested_ripples"
    same_bits = "any machine"
    dim: Dimension
    lam: NonNegative = 1.0
    A: NonNegative = 1.0
    omega: Positive = 3.0
    fine_A: NonNegative = 0.05
    fine_omega: Positive = 10.0

    def __post_init__(self) -> None:
        check_ranges(self)
        check_not_negative("lam + A*omega^2 + fine_A*fine_omega^2", self._curvature)
        # Their constructors refuse numbers that are too far apart.
        self._broad, self._narrow  # noqa: B018 - constructed here

    @cached_property
    def _broad(self) -> Cosine:
        return Cosine(self.dim, self.lam, self.A, self.omega)

    @cached_property
    def _narrow(self) -> Cosine:
        return Cosine(self.dim, 0.0, self.fine_A, self.fine_omega)

    @property
    def _curvature(self) -> float:
        broad = self.lam + self.A * self.omega * self.omega
        return broad + self.fine_A * self.fine_omega * self.fine_omega

    @property
    def L(self) -> Constant:
        """``lam + A omega^2 + fine_A fine_omega^2``, exact.

        All three curvatures of a coordinate are largest at 0, in absolute value too.
        """
        source = "lam + A omega^2 + fine_A fine_omega^2, the curvature at 0"
        return Constant(self._curvature, "exact", source)

    @property
    def f_star(self) -> Constant:
        """0, exact: no term is negative, and all vanish at 0."""
        return Constant(0.0, "exact", "no term is negative and all vanish at 0")

    @property
    def minimiser(self) -> Floats | None:
        """0; None with ``lam = 0``, where there may be others."""
        return self._broad.minimiser

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        return self._broad.value(x) + self._narrow.value(x)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write the gradient to ``out (..., d)`` and return it.

        It is ``lam w + A omega sin(omega w) + fine_A fine_omega sin(fine_omega w)``.
        """
        return write_gradient(NestedRipples.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate workspace for the sines of a block, and for one of the two gradients."""
        rows = tile * R
        slope, fine = self.A * self.omega, self.fine_A * self.fine_omega
        broad = RippleGradient(self.lam, slope, self.omega, rows=rows, dim=self.dim, dtype=dtype)
        narrow = RippleGradient(0.0, fine, self.fine_omega, rows=rows, dim=self.dim, dtype=dtype)
        return _SumOfRipples(broad, narrow, rows * self.dim, dtype)


@final
class _SumOfRipples(BlockFunction):
    """The sum of two planned gradients of ripples."""

    def __init__(
        self, one: RippleGradient, other: RippleGradient, size: int, dtype: Precision
    ) -> None:
        super().__init__(size, dtype)
        self.one, self.other = one, other
        self.second = np.empty(self.most, dtype)
        # A huge omega is computed in another way, with another number of arrays.
        self.arrays = len(one.views(0))

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        """Return room for the second gradient, then the workspace of both."""
        return (self.second[:n], *self.one.views(n), *self.other.views(n))

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        """Write the sum for a block."""
        second, *both = work
        self.one.compute(x, out, *both[: self.arrays])
        self.other.compute(x, second, *both[self.arrays :])
        np.add(out, second, out)
