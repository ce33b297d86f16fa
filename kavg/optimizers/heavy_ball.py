"""The heavy ball: a learner's own momentum, on its gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision
from kavg.optimizers.gradient_changes import change_gradients
from kavg.ranges import LocalMomentum, NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class HeavyBall:
    """Local momentum: ``m = beta m + g``, ``x = x - gamma m``; ``m`` is the one slot.

    This is ``torch.optim.SGD(momentum=beta)``: momentum of a learner's gradients, in units of
    gradient, inside the round.  ``outer.BlockMomentum`` acts on the mean displacement of all
    learners, once a round.  In ``NesterovSteps`` the step looks ahead.  ``clip`` and
    ``weight_decay`` act on ``g`` (``change_gradients``).  With ``K = 1`` and ``m`` reset it is SGD.

    Source: Polyak 1964; for local steps with the three treatments of ``m``, Wang, Tantia, Ballas
    and Rabbat 2019, arXiv 1910.00643.

    >>> x, g, m = np.zeros((1, 1, 1)), np.ones((1, 1, 1)), np.full((1, 1, 1, 1), 2.0)
    >>> HeavyBall(beta=0.5).plan(1, 1, 1, "float64")(x, g, m, np.array(0.1), 1)
    >>> x.item(), m.item()
    (-0.2, 2.0)
    """

    kind = "heavy_ball"
    same_bits = "any machine"
    beta: LocalMomentum
    at_average: AtAverage = "reset"
    clip: Positive | None = None
    weight_decay: NonNegative = 0.0
    slots = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, whose workspace is the gradient's own."""
        beta = np.array(self.beta, dtype)

        def step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:  # noqa: ARG001 - LocalUpdate
            m = slots[0]
            np.multiply(m, beta, out=m)
            np.add(m, g, out=m)
            # Into the gradient, which is done with, as m must not be scaled by gamma.
            np.multiply(m, gamma, out=g)
            np.subtract(x, g, out=x)

        return change_gradients(
            step, clip=self.clip, weight_decay=self.weight_decay, shape=(tile, R, d), dtype=dtype
        )
