"""A curved valley in any dimension, with a condition number that one sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, final

import numpy as np
from annotated_types import Interval

from kavg.base import Constant, Floats, PlannedGradient, Precision
from kavg.elementary.sums import sum_over_coordinates
from kavg.objectives.coupled.gradient_blocks import GradientBlocks, write_rows
from kavg.objectives.elementwise import as_floats, as_scalars
from kavg.ranges import NonNegative, check_ranges

FAR: Final = 2.0**60
"""Beyond it ``sqrt(1 + a^2)`` is ``|a|`` in either precision, and squares could overflow."""


@final
@dataclass(frozen=True)
class CurvedValley:
    """``F(w) = w_1^2/(2 condition) + sum_i psi(w_{i+1} - bend psi(w_i))``: a valley that bends.

    Here ``psi(a) = sqrt(1 + a^2) - 1``, a bowl that becomes linear far out.  The floor of the
    valley, ``w_{i+1} = bend psi(w_i)``, falls slowly to the minimiser 0, the only stationary point,
    where the Hessian is diagonal with one entry ``1/condition`` and all others 1.  ``Rosenbrock``
    has such a valley too, but no finite L; this one is smooth everywhere.

    >>> valley = CurvedValley(dim=2, condition=100.0)
    >>> valley.L.value, valley.grad(np.array([2.0, 0.0]), np.empty(2)).round(4)
    (5.0, array([ 0.7154, -0.7774]))
    """

    kind = "curved_valley"
    same_bits = "any machine"
    dim: Annotated[int, Interval(ge=2), "a valley needs a floor and a wall"]
    condition: Annotated[float, Interval(ge=1), "1 is a valley as wide as steep"] = 100.0
    bend: NonNegative = 1.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def L(self) -> Constant:
        """``(1 + bend)^2 + bend``, an upper bound.

        With z_i the argument of a term, ``|psi'| < 1`` and ``0 < psi'' <= 1``.  On the diagonal of
        the Hessian is
        ``psi''(z_{i-1}) + (bend psi'(w_i))^2 psi''(z_i) - bend psi''(w_i) psi'(z_i)``, at most
        ``1 + bend^2 + bend``, and beside it two numbers of at most ``bend``; the first row has
        ``1/condition <= 1`` for the first term.  No eigenvalue exceeds the largest sum of the sizes
        in a row.
        """
        value = (1.0 + self.bend) * (1.0 + self.bend) + self.bend
        return Constant(value, "upper bound", "(1 + bend)^2 + bend, the largest row of the Hessian")

    @property
    def f_star(self) -> Constant:
        """0, exact: no term is negative, and all vanish at 0."""
        return Constant(0.0, "exact", "no term is negative and all vanish at 0")

    @property
    def minimiser(self) -> Floats:
        """0, the only stationary point."""
        return np.zeros(self.dim)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``."""
        x = as_floats(x)
        walls = _bowl(x[..., 1:] - self.bend * _bowl(x[..., :-1]))
        first: Floats = np.square(x[..., 0]) / (2.0 * self.condition)
        return first + sum_over_coordinates(walls)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write the gradient at every row to ``out (..., d)`` and return it.

        With ``p_i = psi'(w_{i+1} - bend psi(w_i))`` coordinate i is
        ``p_{i-1} - bend psi'(w_i) p_i``, and the first has ``w_1 / condition`` for ``p_0``.
        """
        return write_rows(CurvedValley.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate for ``x (t, R, d)`` with ``t <= tile``."""
        return GradientBlocks(self.dim, lambda t, R: _ValleyBlock(self, t, R, dtype))


def _bowl(a: Floats) -> Floats:
    """Return ``sqrt(1 + a^2) - 1`` without a difference of numbers near 1, or an overflow."""
    near = np.clip(a, -FAR, FAR)
    square = np.square(near)
    bowl: Floats = square / (1.0 + np.sqrt(1.0 + square)) + np.abs(a - near)
    return bowl


@final
class _ValleyBlock:
    """The gradient of a block of rows, whose coordinates are contiguous arrays ``(t, R)``.

    A coordinate's neighbours are then arrays of one layout with it.
    """

    def __init__(self, valley: CurvedValley, t: int, R: int, dtype: Precision) -> None:
        d = valley.dim
        self.columns, self.gradient = np.empty((2, d, t, R), dtype)
        self.work = np.empty((4, d - 1, t, R), dtype)
        self.x, self.g = self.columns.transpose(1, 2, 0), self.gradient.transpose(1, 2, 0)
        self.labels = np.empty((t, R, 0), dtype)
        self.scalars = as_scalars(1.0, FAR, -FAR, valley.bend, 1.0 / valley.condition)[
            np.dtype(dtype)
        ]

    def compute(self) -> None:
        """Write the gradient at the columns."""
        near, root, slope, offset = self.work
        one, far, minus_far, bend, least = self.scalars
        floor, walls = self.columns[:-1], self.columns[1:]
        np.minimum(floor, far, out=near)
        np.maximum(near, minus_far, out=near)
        np.multiply(near, near, out=offset)
        np.add(offset, one, out=root)
        np.sqrt(root, out=root)
        np.divide(near, root, out=slope)  # psi'(w_i)
        np.add(root, one, out=root)
        np.divide(offset, root, out=offset)
        np.subtract(floor, near, out=root)
        np.abs(root, out=root)
        np.add(offset, root, out=offset)  # psi(w_i)
        np.multiply(offset, bend, out=offset)
        np.subtract(walls, offset, out=offset)
        np.minimum(offset, far, out=offset)
        np.maximum(offset, minus_far, out=offset)
        np.multiply(offset, offset, out=root)
        np.add(root, one, out=root)
        np.sqrt(root, out=root)
        np.divide(offset, root, out=offset)  # p_i
        np.multiply(self.columns[:1], least, out=self.gradient[:1])
        np.copyto(self.gradient[1:], offset)
        np.multiply(slope, bend, out=slope)
        np.multiply(slope, offset, out=slope)
        np.subtract(self.gradient[:-1], slope, out=self.gradient[:-1])
