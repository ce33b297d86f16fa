"""Gradients of bowls with sine ripples."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.elementary.block_function import BlockFunction
from kavg.elementary.polynomial import as_coefficients
from kavg.elementary.sine_by_table import choose_sine


@final
class RippleGradient(BlockFunction):
    """Planned ``lam x + slope sin(omega x)``, for ``lam >= 0``.

    It is computed as ``lam (x + (slope/lam) sin(omega x))``, which needs no second array for
    ``lam x``; the ratio is folded into the sine.

    >>> gradient, out = RippleGradient(2.0, 3.0, omega=np.pi, rows=1, dim=2), np.empty(2)
    >>> gradient(np.array([0.5, 1.0]), out)
    >>> out
    array([4., 2.])
    """

    def __init__(
        self,
        lam: float,
        slope: float,
        omega: float,
        *,
        rows: int,
        dim: int,
        dtype: Precision = "float64",
    ) -> None:
        super().__init__(rows * dim, dtype)
        self.has_bowl = lam != 0
        # Tables are kept by their scale, where -0.0 would be taken for 0.0.
        scale = slope / lam + 0.0 if self.has_bowl else 1.0
        self.sine = choose_sine(omega, dim, rows * dim, dtype, scale)
        self.factor, one = as_coefficients((lam if self.has_bowl else slope, 1.0), dtype)
        self.has_factor = bool(self.factor != one)

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        """Return the workspace of the sine."""
        return self.sine.views(n)

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        """Write the gradient of a block."""
        self.sine.compute(x, out, *work)
        if self.has_bowl:
            np.add(out, x, out)
        if self.has_factor:
            np.multiply(out, self.factor, out)
