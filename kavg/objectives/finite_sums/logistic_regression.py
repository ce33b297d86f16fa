"""Logistic regression with a non-convex regulariser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import BatchGradient, Constant, Floats, Precision
from kavg.errors import KavgError, not_negative
from kavg.objectives.curvature import largest_eigenvalue
from kavg.objectives.data.preparation import Data, Parts, Source, check_choices, prepare
from kavg.objectives.elementwise import over_coordinates
from kavg.objectives.finite_sums.finite_sum import (
    Examples,
    Plan,
    by_row,
    full_gradient,
    measured,
    row_mean,
)


@final
@dataclass(frozen=True)
class LogisticRegression:
    """``F(w) = (1/n) sum_i log(1 + exp(-y_i a_i.w)) + alpha sum_k w_k^2 / (1 + w_k^2)``.

    The labels become ``y_i = 1`` for the larger of two values, or for those in ``positive``, and
    -1 otherwise.  The regulariser pulls small weights to 0 and leaves large ones alone; with
    alpha > 0 F is not convex (where `RobustRegression` is non-convex by its loss).  Each f_i
    holds the regulariser in full.  ``data`` is a name, a path, a ``Data`` or a ``Synthetic``;
    ``held_out``, ``split_seed``, ``use`` and ``standardise`` are explained in ``kavg.data``.
    No intercept: give the features a column of ones.

    >>> F = LogisticRegression(Data([[1.0, 0.0], [0.0, 2.0]], [0, 1]), alpha=0.5)
    >>> F.value(np.zeros(2)).round(4), F.L.value
    (np.float64(0.6931), 1.5)
    """

    data: Source
    alpha: float = 0.0
    positive: tuple[float, ...] = ()
    held_out: float = 0.0
    split_seed: int = 0
    use: int | None = None
    standardise: bool = False

    def __post_init__(self) -> None:
        not_negative("alpha", self.alpha)
        check_choices(self.held_out, self.split_seed, self.use)

    @cached_property
    def parts(self) -> Parts:
        """The data, read when first needed."""
        return prepare(self.data, self.held_out, self.split_seed, self.use, self.standardise)

    @cached_property
    def _positive(self) -> Floats:
        values = self.parts.label_values
        chosen = np.isin(values, self.positive) if self.positive else values == values[-1]
        if (len(values) != 2 and not self.positive) or chosen.all() or not chosen.any():
            raise KavgError(
                f"logistic regression needs two kinds of labels, found {len(values)} values "
                f"({', '.join(f'{value:g}' for value in values[:6])}) with "
                f"positive={self.positive!r}; list in positive the values that count as 1, "
                "or use the network for several classes"
            )
        return values[chosen]

    def _signed(self, data: Data) -> Examples:
        # y_i a_i / 2 is all that the gradient needs: no labels to look up in the hot loop.
        y = np.where(np.isin(data.labels, self._positive), 1.0, -1.0)
        return 0.5 * y[:, None] * data.features, y

    @cached_property
    def _train(self) -> Examples:
        return self._signed(self.parts.train)

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
        """The data's own labels, ``(examples,)``."""
        return self.parts.train.labels

    @cached_property
    def L(self) -> Constant:
        """``lambda_max(A^T A) / (4 n) + 2 alpha``: sigmoid' <= 1/4 and |penalty''| <= 2."""
        value = largest_eigenvalue(self.parts.train.features) / 4 + 2 * self.alpha
        return Constant(value, "upper bound", "lambda_max(A^T A) / (4 n) + 2 alpha")

    @property
    def f_star(self) -> Constant:
        """0, a lower bound: so ``F(w) - f_star`` is never too small."""
        return Constant(0.0, "upper bound", "0 is a lower bound of F: no term is negative")

    def value(self, x: Floats) -> Floats:
        """F at every row: ``(..., d) -> (...)``."""
        return by_row(self._mean, self, self._train, x)

    def grad(self, x: Floats, out: Floats) -> Floats:
        """The full gradient at every row of ``x (..., d)``, written to ``out``."""
        return full_gradient(self, self._train[:1], x, out)

    def plan_batches(
        self, tile: int, R: int, B: int, dtype: Precision = "float64"
    ) -> BatchGradient:
        """Allocate for batches of ``B`` at up to ``(tile, R)`` rows, in this precision."""
        return Plan(self, self._train[:1], tile, R, B, dtype)

    @property
    def measures(self) -> Mapping[str, Callable[[Floats], Floats]]:
        """``train_accuracy``; with held-out data its accuracy and its F (regulariser included)."""
        held = None if self.parts.held is None else self._signed(self.parts.held)
        return measured(self._mean, _accuracy, self, self._train, held)

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """The slope of each example's loss, and the penalty's slope."""
        return np.empty((rows, m), dtype), np.empty((rows, self.dim), dtype)

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """``(1/m) sum_i -y_i sigmoid(-y_i a_i.x) a_i + 2 alpha x / (1 + x^2)^2``.

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

    def _mean(self, examples: Examples, x: Floats) -> Floats:
        losses = np.logaddexp(0.0, -2.0 * np.matvec(examples[0], x))
        x2 = x * x
        return row_mean(losses) + self.alpha * over_coordinates(x2 / (1 + x2))


def _accuracy(examples: Examples, x: Floats) -> Floats:
    """The share of examples on their side of ``a.x = 0``; the boundary counts as 1."""
    halves, y = examples
    z = np.matvec(halves, x)
    return row_mean(((z > 0) | ((z == 0) & (y > 0))).astype(np.float64))
