"""A two-layer network for classification."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Annotated, Final, final

import numpy as np

from kavg.base import Constant, Floats, Precision, unknown_constant
from kavg.errors import KavgError
from kavg.objectives.curvature import hessian_norms
from kavg.objectives.data.dataset import Data
from kavg.objectives.data.preparation import HeldOut, Source, UsedExamples
from kavg.objectives.finite_sums.blocked_sums import ExampleMean, Examples, mean_over_examples
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.finite_sums.layers import (
    LayerSizes,
    backward,
    cross_entropy,
    forward,
    random_weights,
    softmax_minus_target,
    with_ones,
)
from kavg.ranges import Count, DataSeed, NonNegative

MANY_CLASSES: Final = 20
"""Classes from which on labels of most examples are taken for targets of a regression."""


@final
@dataclass(frozen=True)
class Network(EmpiricalRisk):
    """Cross-entropy of ``softmax(tanh(a W1 + b1) W2 + b2)``, plus ``(l2 / 2) ||w||^2``.

    ``w`` is ``W1 (p, H), b1 (H), W2 (H, C), b2 (C)``, flattened in this order, so
    ``d = p H + H + H C + C``; ``H`` is ``hidden`` and C the number of distinct labels.  Start at
    random: at ``w = 0`` only b2 has a gradient.  The other fields choose the examples
    (``EmpiricalRisk``).  ``LogisticRegression`` is the linear model for two classes.

    >>> F = Network(Data([[0.0], [1.0], [2.0]], [0, 1, 2]), hidden=4)
    >>> F.dim, F.value(np.zeros(F.dim)).round(4)
    (23, np.float64(1.0986))
    """

    kind = "network"
    same_bits = "one kind of machine"
    data: Source
    hidden: Annotated[Count, "32 is a fair beginning"] = 32
    l2: NonNegative = 0.0
    held_out: HeldOut = 0.0
    split_seed: DataSeed = 0
    use: UsedExamples | None = None
    standardise: bool | None = None

    @cached_property
    def classes(self) -> Floats:
        """The distinct labels of training and held-out data, ``(C,)``, in increasing order."""
        values, n = self.split.label_values, len(self.split.train)
        # Real targets would make a class of each example.
        are_targets = len(values) > max(n / 2, MANY_CLASSES)
        if len(values) < 2 or np.any(values % 1) or are_targets:
            raise KavgError(
                f"a network needs whole numbers of at least two classes as labels, found "
                f"{len(values)} values from {values[0]:g} to {values[-1]:g} for {n} examples; "
                "for real targets use robust regression"
            )
        return values

    @cached_property
    def _sizes(self) -> LayerSizes:
        return self.split.train.features.shape[1], self.hidden, len(self.classes)

    @property
    def dim(self) -> int:
        """``d = p H + H + H C + C``."""
        p, H, C = self._sizes
        return p * H + H + H * C + C

    @cached_property
    def L(self) -> Constant:
        """The largest norm of the Hessian at ``points``, an estimate by power iteration.

        It is no bound: F is not globally smooth in general, and a run may reach sharper places.
        """
        value = float(hessian_norms(self, self.points).max())
        if isnan(value):
            return unknown_constant("power iteration overflowed at random points")
        return Constant(
            value, "estimated", "power iteration at 5 random points; may grow on a path"
        )

    @property
    def points(self) -> Floats:
        """Five points ``(5, d)``: weights ``N(0, 1 / fan-in)``, biases 0, where L is estimated."""
        return random_weights(5, self._sizes)

    def encode(self, data: Data) -> Examples:
        """Return features with a column of ones, ``(n, p + 1)``, and one-hot labels ``(n, C)``."""
        one_hot = (data.labels[:, None] == self.classes).astype(np.float64)
        return with_ones(data.features), one_hot

    def accuracy(self, data: Data) -> ExampleMean:
        """Return the share of examples whose largest score is that of their class."""

        def share(examples: Examples, x: Floats) -> Floats:
            features, targets = examples
            # Classes are on axis -2 of scores (``layers``), but on the last of one-hot labels.
            predicted = self._scores(features, x).argmax(axis=-2)
            return mean_over_examples((predicted == targets.argmax(axis=-1)).astype(np.float64))

        return share

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate arrays for the hidden layer, the scores and the l2 term.

        In this order: hidden units and their slopes ``(rows, m, H)``, scores ``(rows, C, m)``, one
        score an example ``(rows, 1, m)``, ones ``(rows, C)`` and ``(rows, m)``, and ``l2 x``.
        """
        _, H, C = self._sizes
        return (
            np.empty((rows, m, H), dtype),
            np.empty((rows, m, H), dtype),
            np.empty((rows, C, m), dtype),
            np.empty((rows, 1, m), dtype),
            np.ones((rows, C), dtype),
            np.ones((rows, m), dtype),
            # Without an l2 term nothing of the size of x is needed.
            np.empty((rows, self.dim if self.l2 > 0 else 0), dtype),
        )

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Write the gradient at each row of ``x (c, d)`` to ``out``, by backpropagation.

        The slope of the cross-entropy by the scores is ``softmax - one_hot``; ``l2 x`` is added.
        """
        features, targets = examples
        hidden, back, scores, row, class_ones, example_ones, decay = work
        forward(features, x, self._sizes, hidden, scores)
        softmax_minus_target(scores, targets, row, class_ones)
        scores *= 1 / features.shape[-2]
        backward(features, x, self._sizes, scores, out, (hidden, back, example_ones))
        if self.l2 > 0:
            np.multiply(x, self.l2, out=decay)
            out += decay

    def mean_loss(self, examples: Examples, x: Floats) -> Floats:
        """Return the mean cross-entropy over the examples, plus ``(l2 / 2) ||x||^2``."""
        features, targets = examples
        losses = cross_entropy(self._scores(features, x), targets)
        decay: Floats = np.vecdot(x, x)
        return mean_over_examples(losses) + self.l2 / 2 * decay

    def _scores(self, features: Floats, x: Floats) -> Floats:
        hidden, _, scores, *_ = self.workspace(len(x), features.shape[-2])
        forward(features, x, self._sizes, hidden, scores)
        return scores
