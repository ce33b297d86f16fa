"""Block momentum: one momentum term acts on the mean displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.outer.outer_step import move_along
from kavg.ranges import Momentum, Positive, check_ranges


@final
@dataclass(frozen=True)
class BlockMomentum:
    """M-AVG: ``v_{n+1} = mu v_n + d_n``, ``w_{n+1} = w_n + alpha v_{n+1}`` (Cong and Liu 2020).

    One momentum term acts on the mean over learners; the learners themselves take plain SGD steps.
    ``v`` is in units of displacement.  The paper's outer step ``alpha`` is 1; with another one this
    is FedAvgM, whose momentum vector is ``-v`` and whose server learning rate is ``alpha``.

    ``SlowMo`` keeps ``v`` in units of gradient, which is the same only while gamma is constant; in
    ``NesterovMomentum`` the learners start from ``w + alpha mu v``; ``Averaging`` is ``mu = 0``.  A
    filter ``v = mu v + (1 - mu) d`` would be another method with ``1 - mu`` times the step
    (``QuasiHyperbolic`` with ``nu = 1``).

    Source: Cong and Liu 2020, arXiv 2110.00625; FedAvgM: Hsu, Qi and Brown 2019, arXiv 1909.06335.

    >>> w, v = np.array([[0.0]]), np.array([[1.0]])
    >>> BlockMomentum(mu=0.5).step(w, v, displacement=np.array([[1.0]]), gamma=0.1)
    >>> w
    array([[1.5]])
    """

    kind = "block_momentum"
    same_bits = "any machine"
    mu: Momentum
    alpha: Positive = 1.0
    memory = True
    elementwise = True

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update the momentum, then move along it: ``v = mu v + d``, ``w = w + alpha v``."""
        np.multiply(v, self.mu, out=v)
        np.add(v, displacement, out=v)
        move_along(w, v, self.alpha, workspace=displacement)
