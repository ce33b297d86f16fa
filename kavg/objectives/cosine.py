"""A quadratic bowl with cosine ripples: many local minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats, PlannedGradient, Precision
from kavg.elementary.sine import sine
from kavg.errors import KavgError
from kavg.objectives.elementwise import as_floats, sum_over_coordinates, write_gradient
from kavg.objectives.ripples import RippleGradient
from kavg.ranges import Dimension, NonNegative, Positive, check_not_negative, check_ranges


@final
@dataclass(frozen=True)
class Cosine:
    """``F(w) = sum_i lam/2 w_i^2 + A (1 - cos(omega w_i))``: many local minima, the best at 0.

    The minimiser is 0; with ``lam = 0`` so is every point whose coordinates are multiples of
    ``2 pi / omega``.  Rastrigin's function is the instance ``lam = 2, A = 10, omega = 2 pi``.
    ``SineBowl`` is the instance ``lam = 2, A = 3/2, omega = 2``, for which the
    Polyak-Lojasiewicz constant is known (docs/theory.md 6.2).

    >>> ripples = Cosine(dim=2)
    >>> ripples.L.value
    10.0
    >>> ripples.grad(np.zeros(2), np.empty(2))
    array([0., 0.])
    """

    kind = "cosine"
    same_bits = "any machine"
    dim: Dimension
    lam: NonNegative = 1.0
    A: NonNegative = 1.0
    omega: Positive = 3.0

    def __post_init__(self) -> None:
        check_ranges(self)
        check_not_negative("lam + A*omega^2", self.lam + self.A * self.omega * self.omega)
        # grad is lam (w + ratio sin(omega w)): beside a larger ratio w would be rounded away.
        if self.lam > 0 and self._ratio > 1e12:
            raise KavgError(
                f"lam={self.lam!r} is too small beside A*omega={self.A * self.omega!r}; give lam at"
                " least 1e-12 A*omega, or lam=0"
            )

    @property
    def _ratio(self) -> float:
        # Infinite for a subnormal lam, which __post_init__ then rejects.
        with np.errstate(over="ignore"):
            return float(np.float64(self.A * self.omega) / self.lam)

    @property
    def L(self) -> Constant:
        """``lam + A omega^2``, exact.

        The curvature of a coordinate is ``lam + A omega^2 cos(omega w)``, and largest at 0 in
        absolute value, as ``lam, A >= 0``.
        """
        curvature = self.lam + self.A * self.omega * self.omega
        return Constant(curvature, "exact", "lam + A omega^2, the curvature at 0")

    @property
    def f_star(self) -> Constant:
        """0, exact: both terms are at least 0 and vanish at 0."""
        return Constant(0.0, "exact", "both terms are at least 0 and vanish at 0")

    @property
    def minimiser(self) -> Floats | None:
        """0; None with ``lam = 0``, where F is periodic."""
        return np.zeros(self.dim) if self.lam > 0 else None

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``.

        ``1 - cos z`` is computed as ``2 sin(z/2)^2``, which does not cancel near 0.
        """
        x = as_floats(x)
        ripples = np.square(sine(x, 0.5 * self.omega, np.empty_like(x)))
        return sum_over_coordinates(0.5 * self.lam * np.square(x) + 2.0 * self.A * ripples)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``lam w + A omega sin(omega w)`` to ``out (..., d)`` and return it."""
        return write_gradient(Cosine.plan_gradient, self, x, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision) -> PlannedGradient:
        """Allocate workspace for the sines of a block."""
        slope = self.A * self.omega
        return RippleGradient(self.lam, slope, self.omega, rows=tile * R, dim=self.dim, dtype=dtype)
