"""Linear regression by least squares, with a ridge penalty."""

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
from kavg.objectives.elementwise import sum_over_coordinates
from kavg.objectives.finite_sums.blocked_sums import Examples, mean_over_examples
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.ranges import DataSeed, NonNegative


@final
@dataclass(frozen=True)
class LinearRegression(EmpiricalRisk):
    """``F(w) = (1/n) sum_i (a_i.w - y_i)^2 / 2 + (l2 / 2) ||w||^2``: least squares.

    F is a quadratic with the matrix ``A^T A / n + l2``, and the noise of mini-batches multiplies
    the iterate: its variance grows with the residuals, and vanishes where all examples are fitted.
    The other fields choose the examples (``EmpiricalRisk``).  ``w`` has one coordinate a feature;
    with ``intercept`` a feature of ones is added, whose coordinate is the last.
    ``RobustRegression`` bounds the pull of outliers; ``oracles.RandomDesign`` draws its examples
    anew at each step, and has exact moments.

    >>> F = LinearRegression(Data([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0]), l2=0.5)
    >>> F.value(np.ones(2)), F.L.value
    (array(1.5), 2.5)
    """

    kind = "linear_regression"
    same_bits = "one kind of machine"
    data: Source
    l2: NonNegative = 0.0
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
        """``lambda_max(A^T A) / n + l2``, exact: the norm of the Hessian."""
        value = largest_eigenvalue(self.split.train.features) + self.l2
        return Constant(value, "exact", "lambda_max(A^T A) / n + l2, to rounding")

    def encode(self, data: Data) -> Examples:
        """Return features ``(n, p)`` and targets ``(n,)``, unchanged.

        Raises KavgError if the labels were text.
        """
        if data.classes:
            raise KavgError(
                f"linear regression needs numbers as labels, found the classes "
                f"{shorten_labels(np.arange(len(data.classes)), data.classes)}; use the network, "
                "or logistic regression"
            )
        return data.features, data.labels

    def accuracy(self, data: Data) -> None:
        """Return None, as targets are real numbers and not classes."""

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate residuals ``(rows, m)``, and the slope of the penalty, ``(rows, d)``."""
        # Without a penalty nothing of the size of x is needed.
        return np.empty((rows, m), dtype), np.empty((rows, self.dim if self.l2 else 0), dtype)

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Write ``(1/m) sum_i (a_i.x - y_i) a_i + l2 x``."""
        (features, targets), (r, decay) = examples, work
        np.matvec(features, x, out=r)
        r -= targets
        r *= 1 / features.shape[-2]
        np.vecmat(r, features, out=out)
        if self.l2 > 0:
            np.multiply(x, self.l2, out=decay)
            out += decay

    def mean_loss(self, examples: Examples, x: Floats) -> Floats:
        """Return ``(1/m) sum_i (a_i.x - y_i)^2 / 2`` plus the penalty."""
        features, targets = examples
        squares = np.square(np.matvec(features, x) - targets)
        penalty = 0.5 * self.l2 * sum_over_coordinates(np.square(x))
        return 0.5 * mean_over_examples(squares) + penalty
