"""Accumulated gradients: all K of a round are taken at its start, for one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.base import AtAverage, LocalUpdate, Precision
from kavg.optimizers.sgd import SGD


@final
@dataclass(frozen=True)
class Accumulation:
    """Mini-batch SGD: ``x = x_0 - gamma (g_0(x_0) + ... + g_{K-1}(x_0))``, one step a round.

    All K gradients of a round are taken at its start ``x_0``: a step of ``gamma K`` with the mean
    gradient of a batch K times as large, which is the linear scaling rule.  A round costs as many
    gradients and communications as K local steps of ``SGD``, which takes each gradient where the
    step before ended; with ``K = 1`` the two have the same bits.  With ``outer.BlockMomentum`` it
    is mini-batch SGD with momentum.

    Source: the baseline of local SGD, in Woodworth et al. 2020, arXiv 2002.07839; linear scaling:
    Goyal et al. 2017, arXiv 1706.02677.

    >>> import numpy as np
    >>> x, g = np.array([[[1.0]]]), np.array([[[2.0]]])
    >>> Accumulation().plan(1, 1, 1, "float64")(x, g, np.empty((0, 1, 1, 1)), np.array(0.1), 1)
    >>> x
    array([[[0.8]]])
    """

    kind = "accumulation"
    same_bits = "any machine"
    slots = 0
    gradients_at_start = True
    at_average: ClassVar[AtAverage] = "reset"

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step of ``SGD``: the engine evaluates gradients at the round's start."""
        return SGD().plan(tile, R, d, dtype)
