"""AdamW: Adam with a weight decay that its scaling does not touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import AtAverage, Floats, LocalUpdate, Precision
from kavg.optimizers.adam_steps import plan_adam_steps
from kavg.optimizers.gradient_changes import change_gradients
from kavg.ranges import Decay, NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay: ``x = x - gamma weight_decay x``, then the step of Adam.

    The gradient is that at the x before.  In ``Adam`` the decay is added to the gradient, so that
    coordinates with large gradients decay less; with ``weight_decay = 0`` the two have the same
    bits.  ``clip`` bounds the norm of ``g`` (``change_gradients``).

    Source: Loshchilov and Hutter 2017, arXiv 1711.05101, with the decay proportional to gamma as in
    ``torch.optim.AdamW``, whose numbers are the defaults.

    >>> x, g, slots = np.full((1, 1, 1), 8.0), np.full((1, 1, 1), -3.0), np.zeros((2, 1, 1, 1))
    >>> adam = AdamW(0.5, 0.5, eps=1.0, weight_decay=0.25).plan(1, 1, 1, "float64")
    >>> adam(x, g, slots, np.array(1.0), 1)
    >>> x.item()
    6.75
    """

    kind = "adamw"
    same_bits = "any machine"
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.01
    at_average: AtAverage = "reset"
    clip: Positive | None = None
    slots = 2

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, with workspace for the root and for the decay."""
        shape = (tile, R, d)
        step = plan_adam_steps(self, shape, dtype)
        # Without it not even a product, so that the bits are those of Adam: 0 x may be -0.
        if self.weight_decay:
            step = _decay_first(step, self.weight_decay, shape, dtype)
        return change_gradients(step, clip=self.clip, weight_decay=0.0, shape=shape, dtype=dtype)


def _decay_first(
    step: LocalUpdate, weight_decay: float, shape: tuple[int, int, int], dtype: Precision
) -> LocalUpdate:
    decay, workspace = np.array(weight_decay, dtype), np.empty(shape, dtype)

    def decayed(x: Floats, g: Floats, slots: Floats, gamma: Floats, age: int) -> None:
        part = workspace[: len(x)]
        # Before the step, so that the decay is that of the x where g was taken.
        np.multiply(x, decay, out=part)
        np.multiply(part, gamma, out=part)
        np.subtract(x, part, out=x)
        step(x, g, slots, gamma, age)

    return decayed
