"""Nesterov's momentum in the local steps, in the form of PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision
from kavg.optimizers.gradient_changes import change_gradients
from kavg.ranges import LocalMomentum, NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class NesterovSteps:
    """Nesterov's local steps: ``m = beta m + g``, ``x = x - gamma (g + beta m)``; ``m`` is a slot.

    This is ``torch.optim.SGD(momentum=beta, nesterov=True)``: ``x`` is the point where gradients
    are taken, the look-ahead of Nesterov's own form.  ``HeavyBall`` moves by ``gamma m``;
    ``outer.NesterovMomentum`` looks ahead once a round, from the meta-iterate.  ``clip`` and
    ``weight_decay`` act on ``g`` (``change_gradients``).  With ``K = 1`` and ``m`` reset it is SGD
    with steps of ``(1 + beta) gamma``.

    Source: Nesterov 1983; the form is that of Sutskever, Martens, Dahl and Hinton 2013, rewritten
    for the look-ahead as PyTorch does.

    >>> x, g, m = np.zeros((1, 1, 1)), np.ones((1, 1, 1)), np.full((1, 1, 1, 1), 2.0)
    >>> NesterovSteps(beta=0.5).plan(1, 1, 1, "float64")(x, g, m, np.array(0.25), 1)
    >>> x.item(), m.item()
    (-0.5, 2.0)
    """

    kind = "nesterov_steps"
    same_bits = "any machine"
    beta: LocalMomentum
    at_average: AtAverage = "reset"
    clip: Positive | None = None
    weight_decay: NonNegative = 0.0
    slots = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, with workspace for ``beta m``."""
        beta, workspace = np.array(self.beta, dtype), np.empty((tile, R, d), dtype)

        def step(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:  # noqa: ARG001 - LocalUpdate
            m, ahead = slots[0], workspace[: len(x)]
            np.multiply(m, beta, out=m)
            np.add(m, g, out=m)
            # The new m: torch looks ahead after the gradient is in it.
            np.multiply(m, beta, out=ahead)
            np.add(g, ahead, out=g)
            np.multiply(g, gamma, out=g)
            np.subtract(x, g, out=x)

        return change_gradients(
            step, clip=self.clip, weight_decay=self.weight_decay, shape=(tile, R, d), dtype=dtype
        )
