"""Logistic regression with a non-convex regulariser."""

from __future__ import annotations

from collections.abc import Sequence
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
from kavg.objectives.finite_sums.blocked_sums import ExampleMean, Examples, mean_over_examples
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.ranges import DataSeed, Finite, NonNegative


@final
@dataclass(frozen=True)
class LogisticRegression(EmpiricalRisk):
    """``F(w) = (1/n) sum_i log(1 + exp(-y_i a_i.w)) + alpha sum_k w_k^2 / (1 + w_k^2)``.

    The labels become ``y_i = 1`` for the larger of two values, or for those in ``positive`` (a
    number or name of a class, or several), and -1 otherwise.  The regulariser pulls small weights
    to 0 and leaves large ones alone; with ``alpha > 0`` F is not convex (``RobustRegression`` is
    non-convex by its loss).  The other fields choose the examples (``EmpiricalRisk``).  ``w`` has
    one coordinate a feature; with ``intercept`` a feature of ones is added, whose coordinate is the
    last.

    >>> F = LogisticRegression(Data([[1.0, 0.0], [0.0, 2.0]], [0, 1]), alpha=0.5)
    >>> F.value(np.zeros(2)).round(4), F.L.value
    (np.float64(0.6931), 1.5)
    """

    kind = "logistic_regression"
    same_bits = "one kind of machine"
    data: Source
    alpha: NonNegative = 0.0
    positive: Finite | str | tuple[Finite | str, ...] = ()
    held_out: HeldOut = 0.0
    split_seed: DataSeed = 0
    use: UsedExamples | None = None
    standardise: bool | None = None
    intercept: bool | None = None

    @cached_property
    def _positive_labels(self) -> Floats:
        values, classes = self.split.label_values, self.split.report.classes
        given = self.positive if isinstance(self.positive, tuple) else (self.positive,)
        positive = [_number_of_class(each, classes) for each in given]
        is_positive = np.isin(values, positive) if positive else values == values[-1]
        if (len(values) != 2 and not positive) or is_positive.all() or not is_positive.any():
            raise KavgError(
                f"logistic regression needs two kinds of labels, found {len(values)} values "
                f"({shorten_labels(values, classes)}) with positive={self.positive!r}; list in "
                "positive the values that count as 1, or use the network for several classes, "
                "robust regression for real targets"
            )
        return values[is_positive]

    def _signs(self, data: Data) -> Floats:
        return np.where(np.isin(data.labels, self._positive_labels), 1.0, -1.0)

    @property
    def dim(self) -> int:
        """The number of features."""
        return int(self.split.train.features.shape[1])

    @cached_property
    def L(self) -> Constant:
        """``lambda_max(A^T A) / (4 n) + 2 alpha``, an upper bound.

        The sigmoid's derivative is at most 1/4, the regulariser's curvature at most 2, both at 0.
        """
        value = largest_eigenvalue(self.split.train.features) / 4 + 2 * self.alpha
        return Constant(value, "upper bound", "lambda_max(A^T A) / (4 n) + 2 alpha")

    def encode(self, data: Data) -> Examples:
        """Return ``b_i = y_i a_i / 2``, ``(n, p)``.

        The loss depends on features and labels through these alone, so a batch reads one array
        instead of two.
        """
        return (0.5 * self._signs(data)[:, None] * data.features,)

    def accuracy(self, data: Data) -> ExampleMean:
        """Return the share of examples on their side of ``a.x = 0``; the boundary counts as 1."""
        y = self._signs(data)

        def share(examples: Examples, x: Floats) -> Floats:
            z = np.matvec(examples[0], x)
            return mean_over_examples(((z > 0) | ((z == 0) & (y > 0))).astype(np.float64))

        return share

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate the slope of each loss, ``(rows, m)``, and the regulariser's, ``(rows, d)``."""
        return np.empty((rows, m), dtype), np.empty((rows, self.dim), dtype)

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Write ``(1/m) sum_i -y_i sigmoid(-y_i a_i.x) a_i + 2 alpha x / (1 + x^2)^2``.

        With ``b_i = y_i a_i / 2`` the first term is ``(1/m) sum_i (tanh(b_i.x) - 1) b_i``, as
        ``sigmoid(-z) = (1 - tanh(z/2)) / 2``: no exponential that could overflow.
        """
        (halves,), (slope, penalty) = examples, work
        np.matvec(halves, x, out=slope)
        np.tanh(slope, out=slope)
        slope -= 1.0
        slope *= 1 / halves.shape[-2]
        np.vecmat(slope, halves, out=out)
        if self.alpha > 0:
            np.multiply(x, x, out=penalty)
            penalty += 1.0
            penalty *= penalty
            np.divide(x, penalty, out=penalty)
            penalty *= 2 * self.alpha
            out += penalty

    def mean_loss(self, examples: Examples, x: Floats) -> Floats:
        """Return ``(1/m) sum_i log(1 + exp(-2 b_i.x))`` plus the regulariser."""
        # log(1 + exp(z)) without an exponential that could overflow.
        losses = np.logaddexp(0.0, -2.0 * np.matvec(examples[0], x))
        x2 = x * x
        return mean_over_examples(losses) + self.alpha * sum_over_coordinates(x2 / (1 + x2))


def _number_of_class(label: float | str, classes: Sequence[str]) -> float:
    if not isinstance(label, str):
        return label
    if label not in classes:
        names = ", ".join(map(repr, classes[:9]))
        found = f"the classes are {names}" if names else "the labels are numbers"
        raise KavgError(f"positive names the class {label!r}; {found}")
    return float(classes.index(label))
