"""SGD: the step depends on the gradient alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision
from kavg.optimizers.gradient_changes import change_gradients
from kavg.ranges import NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``x = x - gamma g``, the local step of both papers.

    ``clip`` bounds the norm of each learner's ``g``, and ``weight_decay x`` is added to it then
    (``change_gradients``).  ``HeavyBall(beta=0)`` gives the same bits and carries a slot.

    Source: Cong and Liu 2020, arXiv 2110.00625; Zhou and Cong 2018, arXiv 1708.01012.

    >>> x, g = np.array([[[1.0]]]), np.array([[[2.0]]])
    >>> SGD().plan(1, 1, 1, "float64")(x, g, np.empty((0, 1, 1, 1)), np.array(0.1), 1)
    >>> x
    array([[[0.8]]])
    """

    kind = "sgd"
    same_bits = "any machine"
    clip: Positive | None = None
    weight_decay: NonNegative = 0.0
    slots = 0
    # No field, as there is nothing to keep or to reset.
    at_average: ClassVar[AtAverage] = "reset"

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def is_plain(self) -> bool:
        """True if the step is that of the theorems, without clipping and decay."""
        return self.clip is None and self.weight_decay == 0

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, which needs no workspace of its own."""
        return change_gradients(
            _step, clip=self.clip, weight_decay=self.weight_decay, shape=(tile, R, d), dtype=dtype
        )


def _step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:  # noqa: ARG001 - LocalUpdate
    np.multiply(g, gamma, out=g)
    np.subtract(x, g, out=x)
