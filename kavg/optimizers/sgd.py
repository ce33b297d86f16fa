"""SGD: the step depends on the gradient alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision


@final
@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: ``x = x - gamma g``, the local step of both papers.

    ``HeavyBall(beta=0)`` gives the same bits and carries a slot.

    Source: Cong and Liu 2020, arXiv 2110.00625; Zhou and Cong 2018, arXiv 1708.01012.

    >>> x, g = np.array([[[1.0]]]), np.array([[[2.0]]])
    >>> SGD().plan(1, 1, 1, "float64")(x, g, np.empty((0, 1, 1, 1)), np.array(0.1), 1)
    >>> x
    array([[[0.8]]])
    """

    kind = "sgd"
    same_bits = "any machine"
    slots = 0
    is_plain = True
    at_average: AtAverage = "reset"

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, which needs no workspace."""
        return _step


def _step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:  # noqa: ARG001 - LocalUpdate
    np.multiply(g, gamma, out=g)
    np.subtract(x, g, out=x)
