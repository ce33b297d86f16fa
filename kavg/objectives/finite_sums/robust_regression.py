"""Robust regression with the Geman-McClure loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import BatchGradient, Constant, Floats, Precision
from kavg.errors import positive
from kavg.objectives.curvature import largest_eigenvalue
from kavg.objectives.data.preparation import Parts, Source, check_choices, prepare
from kavg.objectives.finite_sums.finite_sum import Examples, Plan, by_row, full_gradient, row_mean


@final
@dataclass(frozen=True)
class RobustRegression:
    """``F(w) = (1/n) sum_i rho(a_i.w - y_i)``, ``rho(r) = (r^2 / 2) / (1 + (r/c)^2)``.

    The loss of Geman and McClure, scaled so that ``rho(r) ~ r^2 / 2`` near 0; far from 0 it
    levels off at ``c^2 / 2``, so an outlier pulls less the further it lies, and F is not convex.
    ``c`` is ``scale``: residuals well below it count as noise, well above it as outliers.
    ``data`` is a name, a path, a ``Data`` or a ``Synthetic``; ``held_out``, ``split_seed``, ``use``
    and ``standardise`` are explained in ``kavg.data``.  No intercept: give the features a
    column of ones.

    >>> from kavg.objectives.data.preparation import Data
    >>> F = RobustRegression(Data([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0]))
    >>> F.value(np.zeros(2)), F.L.value
    (array(0.125), 2.0)
    """

    data: Source
    scale: float = 1.0
    held_out: float = 0.0
    split_seed: int = 0
    use: int | None = None
    standardise: bool = False

    def __post_init__(self) -> None:
        positive("scale", self.scale)
        check_choices(self.held_out, self.split_seed, self.use)

    @cached_property
    def parts(self) -> Parts:
        """The data, read when first needed."""
        return prepare(self.data, self.held_out, self.split_seed, self.use, self.standardise)

    @cached_property
    def _train(self) -> Examples:
        return self.parts.train.features, self.parts.train.labels

    @property
    def dim(self) -> int:
        """The number of features."""
        return int(self.parts.train.features.shape[1])

    @property
    def examples(self) -> int:
        """How many examples the sum runs over."""
        return len(self.parts.train)

    @property
    def labels(self) -> Floats:
        """The targets ``y (examples,)``."""
        return self.parts.train.labels

    @cached_property
    def L(self) -> Constant:
        """``lambda_max(A^T A) / n``, for ``|rho''| <= rho''(0) = 1`` whatever the scale."""
        value = largest_eigenvalue(self.parts.train.features)
        return Constant(value, "upper bound", "lambda_max(A^T A) / n, as |rho''| <= 1")

    @property
    def f_star(self) -> Constant:
        """0, a lower bound: so ``F(w) - f_star`` is never too small."""
        return Constant(0.0, "upper bound", "0 is a lower bound of F: no term is negative")

    def value(self, x: Floats) -> Floats:
        """F at every row: ``(..., d) -> (...)``."""
        return by_row(self._mean, self, self._train, x)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """The full gradient at every row of ``x (..., d)``, written to ``out``."""
        return full_gradient(self, self._train, x, out)

    def plan_batches(
        self, tile: int, R: int, B: int, dtype: Precision = "float64"
    ) -> BatchGradient:
        """Allocate for batches of ``B`` at up to ``(tile, R)`` rows, in this precision."""
        return Plan(self, self._train, tile, R, B, dtype)

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """``held_out_F`` where data is held out."""
        if self.parts.held is None:
            return {}
        held = self.parts.held.features, self.parts.held.labels
        return {"held_out_F": lambda w: by_row(self._mean, self, held, w)}

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """The residual of each example, and the weight its loss gives it."""
        return np.empty((rows, m), dtype), np.empty((rows, m), dtype)

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """``(1/m) sum_i rho'(r_i) a_i``, where ``rho'(r) = r / (1 + (r/c)^2)^2``."""
        (features, targets), (r, weight) = examples, work
        np.matvec(features, x, out=r)
        r -= targets
        np.multiply(r, 1 / self.scale, out=weight)
        weight *= weight
        weight += 1.0
        weight *= weight
        r /= weight
        r *= 1 / features.shape[-2]
        np.vecmat(r, features, out=out)

    def _mean(self, examples: Examples, x: Floats) -> Floats:
        features, targets = examples
        r2 = (np.matvec(features, x) - targets) ** 2
        return row_mean(r2 / (2 * (1 + r2 / self.scale**2)))
