"""A two-layer network for classification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from kavg.base import BatchGradient, Constant, Floats, Precision
from kavg.errors import KavgError, at_least_one, not_negative
from kavg.objectives.curvature import curvature
from kavg.objectives.data.preparation import Data, Parts, Source, check_choices, prepare
from kavg.objectives.finite_sums.finite_sum import (
    Examples,
    Plan,
    by_row,
    full_gradient,
    measured,
    row_mean,
)
from kavg.objectives.finite_sums.layers import (
    Sizes,
    backward,
    cross_entropy,
    forward,
    random_weights,
    softmax_less_target,
    with_ones,
)


@final
@dataclass(frozen=True)
class Network:
    """Cross-entropy of ``softmax(tanh(a W1 + b1) W2 + b2)``, plus ``(l2 / 2) ||w||^2``.

    ``w`` is ``W1 (p, H), b1 (H), W2 (H, C), b2 (C)``, flattened in this order, so
    ``d = p H + H + H C + C``; ``H`` is ``hidden`` and C the number of distinct labels.  Each f_i
    holds the l2 term in full.  Start at random: at ``w = 0`` only b2 has a gradient.  ``data`` is
    a name, a path, a ``Data`` or a ``Synthetic``; ``held_out``, ``split_seed``, ``use`` and
    ``standardise`` are explained in ``kavg.data``.

    >>> F = Network(Data([[0.0], [1.0], [2.0]], [0, 1, 2]), hidden=4)
    >>> F.dim, F.value(np.zeros(F.dim)).round(4)
    (23, np.float64(1.0986))
    """

    data: Source
    hidden: int = 32
    l2: float = 0.0
    held_out: float = 0.0
    split_seed: int = 0
    use: int | None = None
    standardise: bool = False

    def __post_init__(self) -> None:
        at_least_one("hidden", self.hidden, "32 is a fair beginning")
        not_negative("l2", self.l2)
        check_choices(self.held_out, self.split_seed, self.use)

    @cached_property
    def parts(self) -> Parts:
        """The data, read when first needed."""
        return prepare(self.data, self.held_out, self.split_seed, self.use, self.standardise)

    @cached_property
    def classes(self) -> Floats:
        """The distinct labels, ``(C,)``, of training and held-out data."""
        values = self.parts.label_values
        if len(values) < 2 or np.any(values % 1):
            raise KavgError(
                f"a network needs whole numbers of at least two classes as labels, found "
                f"{len(values)} values from {values[0]:g} to {values[-1]:g}; for real targets "
                "use robust regression"
            )
        return values

    def _one_hot(self, data: Data) -> Examples:
        one_hot = (data.labels[:, None] == self.classes).astype(np.float64)
        return with_ones(data.features), one_hot

    @cached_property
    def _train(self) -> Examples:
        return self._one_hot(self.parts.train)

    @property
    def dim(self) -> int:
        """``d = p H + H + H C + C``."""
        p, H, C = self._sizes
        return p * H + H + H * C + C

    @cached_property
    def _sizes(self) -> Sizes:
        return self.parts.train.features.shape[1], self.hidden, len(self.classes)

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
        """The largest curvature at ``points``; not a bound, F is not globally smooth in general."""
        value = float(curvature(self, self.points).max())
        return Constant(
            value, "estimated", "power iteration at 5 random points; may grow on a path"
        )

    @property
    def points(self) -> Floats:
        """Five points ``(5, d)``: weights ``N(0, 1 / fan-in)``, biases 0, where L is estimated."""
        return random_weights(5, self._sizes)

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
        """``train_accuracy``; with held-out data its accuracy and its F (l2 term included)."""
        held = None if self.parts.held is None else self._one_hot(self.parts.held)
        return measured(self._mean, self._accuracy, self, self._train, held)

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Hidden units, their slopes, class scores, a row, ones of both kinds, and the l2 term."""
        _, H, C = self._sizes
        hidden, back = np.empty((rows, m, H), dtype), np.empty((rows, m, H), dtype)
        scores, row = np.empty((rows, C, m), dtype), np.empty((rows, 1, m), dtype)
        decay = np.empty((rows, self.dim if self.l2 > 0 else 0), dtype)
        return (
            hidden,
            back,
            scores,
            row,
            np.ones((rows, C), dtype),
            np.ones((rows, m), dtype),
            decay,
        )

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Backpropagation at each row of ``x (c, d)``, plus ``l2 x``."""
        features, targets = examples
        hidden, back, scores, row, classes, ones, decay = work
        forward(features, x, self._sizes, hidden, scores)
        softmax_less_target(scores, targets, row, classes)
        scores *= 1 / features.shape[-2]
        backward(features, x, self._sizes, hidden, scores, out, back, ones)
        if self.l2 > 0:
            np.multiply(x, self.l2, out=decay)
            out += decay

    def _scores(self, features: Floats, x: Floats) -> Floats:
        hidden, _, scores, *_ = self.workspace(len(x), features.shape[-2])
        forward(features, x, self._sizes, hidden, scores)
        return scores

    def _mean(self, examples: Examples, x: Floats) -> Floats:
        features, targets = examples
        losses = cross_entropy(self._scores(features, x), targets)
        decay: Floats = np.vecdot(x, x)
        return row_mean(losses) + self.l2 / 2 * decay

    def _accuracy(self, examples: Examples, x: Floats) -> Floats:
        features, targets = examples
        chosen = self._scores(features, x).argmax(axis=-2)
        return row_mean((chosen == targets.argmax(axis=-1)).astype(np.float64))
