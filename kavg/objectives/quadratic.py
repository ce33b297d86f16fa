"""Quadratics: the objectives on which all moments of a run are known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, final

import numpy as np
from annotated_types import Interval
from numpy.typing import DTypeLike

from kavg.arrays import freeze
from kavg.base import Constant, Floats, PlannedGradient, Precision, unknown_constant
from kavg.elementary.products import DiagonalProducts, RowProducts, multiply_rows
from kavg.errors import KavgError
from kavg.objectives.elementwise import as_floats, sum_over_coordinates
from kavg.objectives.rotation import haar_rotation
from kavg.objectives.spectrum import LogSpectrum
from kavg.ranges import Finite, check_count, check_ranges


@final
@dataclass(frozen=True)
class Quadratic:
    """``F(w) = 1/2 w^T H w``, ``H = Q diag(h) Q^T``; exact moments: docs/theory.md section 4.

    ``spectrum`` holds the eigenvalues ``h (d,)``, of any sign; ``Q (d, d)`` is the identity, or
    drawn uniformly (Haar) from the orthogonal matrices with ``rotation_seed``.  If no eigenvalue is
    negative, 0 is a minimiser, and so is every w in the null space of H.

    >>> bowl = Quadratic(spectrum=(1.0, 4.0))
    >>> bowl.grad(np.array([2.0, 1.0]), np.empty(2))
    array([2., 4.])
    >>> bowl.L.value, bowl.pl.value
    (4.0, 1.0)
    """

    kind = "quadratic"
    same_bits = "any machine"
    spectrum: tuple[Finite, ...] | LogSpectrum
    rotation_seed: Annotated[int, Interval(ge=0), "use None for no rotation"] | None = None

    def __post_init__(self) -> None:
        if getattr(self.spectrum, "ndim", 1) == 2:
            raise KavgError(
                "spectrum must be the eigenvalues of H, got a matrix; give np.linalg.eigvalsh(H), "
                "and work in the coordinates Q^T w of its eigenvectors"
            )
        check_ranges(self)
        if not isinstance(self.spectrum, LogSpectrum):
            check_count("len(spectrum)", len(self.spectrum), "give an eigenvalue a coordinate")

    @property
    def dim(self) -> int:
        """The number of eigenvalues."""
        return len(self.eigenvalues)

    @cached_property
    def eigenvalues(self) -> Floats:
        """``h (d,)``, in the order given, read-only.

        Coordinate i of ``eigen_coordinates`` has the curvature ``h_i``.
        """
        if isinstance(self.spectrum, LogSpectrum):
            return freeze(self.spectrum.eigenvalues)
        return freeze(np.array(self.spectrum, np.float64))

    @cached_property
    def rotation(self) -> Floats:
        """``Q (d, d)``, whose columns are the eigenvectors; the identity without a seed."""
        if self.rotation_seed is None:
            return freeze(np.eye(self.dim))
        return freeze(haar_rotation(self.dim, self.rotation_seed))

    @cached_property
    def hessian(self) -> Floats:
        """``H = Q diag(h) Q^T``, ``(d, d)``, symmetric to the last bit."""
        # The product alone is symmetric only to rounding.
        H = multiply_rows(self.rotation * self.eigenvalues, self.rotation.T)
        return freeze((H + H.T) / 2)

    @property
    def L(self) -> Constant:
        """``max |h|``, exact: the norm of the Hessian."""
        return Constant(float(np.abs(self.eigenvalues).max()), "exact", "largest |eigenvalue|")

    @property
    def f_star(self) -> Constant:
        """0, exact; minus infinity, exact, if an eigenvalue is negative."""
        if self.eigenvalues.min() < 0:
            return Constant(-np.inf, "exact", "a negative eigenvalue leaves F unbounded below")
        return Constant(0.0, "exact", "no negative eigenvalue, so F >= 0 = F(0)")

    @property
    def pl(self) -> Constant:
        """The largest m with ``||grad F||^2 >= 2 m (F - f_star)``: the smallest h above 0.

        Unknown if an eigenvalue is negative or all are 0.  In eigen-coordinates z the inequality
        is ``sum_i h_i^2 z_i^2 >= m sum_i h_i z_i^2``, exact for the smallest h above 0.
        """
        above = self.eigenvalues[self.eigenvalues > 0]
        if self.eigenvalues.min() < 0 or not above.size:
            return unknown_constant("needs a positive eigenvalue and no negative one")
        return Constant(float(above.min()), "exact", "smallest positive eigenvalue")

    @property
    def minimiser(self) -> Floats | None:
        """0; None unless all eigenvalues are above 0."""
        return np.zeros(self.dim) if self.eigenvalues.min() > 0 else None

    def eigen_coordinates(self, x: Floats) -> Floats:
        """``Q^T x`` at every row, ``(..., d) -> (..., d)``: coordinates in which H is diagonal.

        Without a rotation x itself is returned, not a copy.
        """
        if self.rotation_seed is None:
            return x
        return multiply_rows(x, self.rotation)

    def value(self, x: Floats) -> Floats:
        """Return F at every row, ``(..., d) -> (...)``.

        It is computed as ``1/2 sum_i h_i (Q^T x)_i^2``, which is never negative when no eigenvalue
        is.
        """
        z = self.eigen_coordinates(as_floats(x))
        return sum_over_coordinates(0.5 * self.eigenvalues * np.square(z))

    def grad(self, x: Floats, out: Floats) -> Floats:
        """Write ``H x`` to ``out (..., d)`` and return it."""
        matrix = self._cast_hessian(out.dtype)
        if matrix.ndim == 1:
            return np.multiply(x, matrix, out=out)
        return multiply_rows(x, matrix, out)

    def plan_gradient(self, tile: int, R: int, dtype: Precision = "float64") -> PlannedGradient:
        """Allocate for ``H x`` at ``x (t, R, d)`` with ``t <= tile``."""
        matrix = self._cast_hessian(dtype)
        if matrix.ndim == 2:
            return RowProducts(matrix)
        return DiagonalProducts(matrix, tile, R)

    def _cast_hessian(self, dtype: DTypeLike) -> Floats:
        """Return H in this precision, ``(d, d)``, or its diagonal ``(d,)`` without a rotation."""
        H = self.eigenvalues if self.rotation_seed is None else self.hessian
        if H.dtype == dtype:
            return H
        with np.errstate(over="ignore", under="ignore"):
            return H.astype(dtype, copy=False)
