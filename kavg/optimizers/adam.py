"""Adam: steps scaled by the root of a running mean of squared gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import AtAverage, LocalUpdate, Precision
from kavg.optimizers.adam_steps import plan_adam_steps
from kavg.optimizers.gradient_changes import change_gradients
from kavg.ranges import Decay, NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class Adam:
    """Adam: steps by ``m`` over the root of ``v``, means of gradients and of their squares.

    With t the learner's steps since its slots ``m`` and ``v`` were zero, coordinate by coordinate::

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g^2
        x = x - gamma (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Slots that are reset at the average begin with t = 1 in each round; those that are kept or
    averaged count t over the whole run.  ``clip`` and ``weight_decay`` act on ``g``
    (``change_gradients``), so the decay is divided by the root too; ``AdamW`` decays ``x`` itself.
    With ``K = 1`` and slots reset each step is ``gamma g / (|g| + eps)``, almost the sign of g.

    Source: Kingma and Ba 2014, arXiv 1412.6980, in the order of ``torch.optim.Adam``.

    >>> import numpy as np
    >>> x, g, slots = np.zeros((1, 1, 1)), np.full((1, 1, 1), -3.0), np.zeros((2, 1, 1, 1))
    >>> adam = Adam(beta1=0.5, beta2=0.5, eps=1.0).plan(1, 1, 1, "float64")
    >>> adam(x, g, slots, np.array(1.0), 1)
    >>> x.item()
    0.75
    """

    kind = "adam"
    same_bits = "any machine"
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8
    at_average: AtAverage = "reset"
    clip: Positive | None = None
    weight_decay: NonNegative = 0.0
    slots = 2

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, tile: int, R: int, d: int, dtype: Precision) -> LocalUpdate:
        """Return the step, with workspace for the root."""
        shape = (tile, R, d)
        step = plan_adam_steps(self, shape, dtype)
        return change_gradients(
            step, clip=self.clip, weight_decay=self.weight_decay, shape=shape, dtype=dtype
        )
