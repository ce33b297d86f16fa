"""Robust regression with the Geman-McClure loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import Constant, Floats, Precision
from kavg.errors import KavgError
from kavg.objectives.curvature import largest_eigenvalue
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import HeldOut, Source, UsedExamples
from kavg.objectives.data.report import shorten_labels
from kavg.objectives.finite_sums.blocked_sums import Examples, mean_over_examples
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.ranges import DataSeed, Positive


@final
@dataclass(frozen=True)
class RobustRegression(EmpiricalRisk):
    """``F(w) = (1/n) sum_i rho(a_i.w - y_i)``, ``rho(r) = (r^2 / 2) / (1 + (r/c)^2)``.

    The loss of Geman and McClure (1987), scaled so that ``rho(r) ~ r^2 / 2`` near 0; far from 0 it
    levels off at ``c^2 / 2``, so an outlier pulls less the further it lies, and F is not convex.
    ``c`` is ``scale``: residuals well below it count as noise, well above it as outliers.  The
    other fields choose the examples (``EmpiricalRisk``).  ``w`` has one coordinate a feature; with
    ``intercept`` a feature of ones is added, whose coordinate is the last.

    >>> F = RobustRegression(Data([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0]))
    >>> F.value(np.zeros(2)), F.L.value
    (array(0.125), 2.0)
    """

    kind = "robust_regression"
    same_bits = "one kind of machine"
    data: Source
    scale: Positive = 1.0
    held_out: HeldOut = 0.0
    split_seed: DataSeed = 0
    use: UsedExamples | None = None
    standardise: bool | None = None
    intercept: bool | None = None

    @property
    def dim(self) -> int:
        """The number of features."""
        return int(self.split.train.features.shape[1])

    @cached_property
    def L(self) -> Constant:
        """``lambda_max(A^T A) / n``, an upper bound.

        The Hessian is ``A^T diag(rho'') A / n``, and ``|rho''| <= rho''(0) = 1`` whatever c is.
        """
        value = largest_eigenvalue(self.split.train.features)
        return Constant(value, "upper bound", "lambda_max(A^T A) / n, as |rho''| <= 1")

    def encode(self, data: Data) -> Examples:
        """Return features ``(n, p)`` and targets ``(n,)``, unchanged.

        Raises KavgError if the labels were text.
        """
        if data.classes:
            raise KavgError(
                f"robust regression needs numbers as labels, found the classes "
                f"{shorten_labels(np.arange(len(data.classes)), data.classes)}; use the network, "
                "or logistic regression"
            )
        return data.features, data.labels

    def accuracy(self, data: Data) -> None:
        """Return None, as targets are real numbers and not classes."""

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate residuals and the denominators of their losses, ``(rows, m)`` each."""
        return np.empty((rows, m), dtype), np.empty((rows, m), dtype)

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Write ``(1/m) sum_i rho'(r_i) a_i``, where ``rho'(r) = r / (1 + (r/c)^2)^2``."""
        (features, targets), (r, denominator) = examples, work
        np.matvec(features, x, out=r)
        r -= targets
        np.multiply(r, 1 / self.scale, out=denominator)
        denominator *= denominator
        denominator += 1.0
        denominator *= denominator
        r /= denominator
        r *= 1 / features.shape[-2]
        np.vecmat(r, features, out=out)

    def mean_loss(self, examples: Examples, x: Floats) -> Floats:
        """Return ``(1/m) sum_i rho(r_i)``."""
        features, targets = examples
        r2 = (np.matvec(features, x) - targets) ** 2
        return mean_over_examples(r2 / (2 * (1 + r2 / self.scale**2)))
