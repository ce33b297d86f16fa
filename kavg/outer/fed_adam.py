"""Outer Adam: every coordinate is divided by the root of its mean square displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.outer.moving_means import move_by_ratio, update_mean
from kavg.ranges import Decay, Positive, check_ranges


@final
@dataclass(frozen=True)
class FedAdam:
    """FedAdam: Adam on the mean displacement, as published without a correction of bias.

    With ``m`` and ``s`` side by side in the memory, squares and roots by coordinate::

        m = beta1 m + (1 - beta1) d
        s = beta2 s + (1 - beta2) d^2
        w = w + alpha m/(sqrt(s) + tau)

    The paper's server learning rate ``eta`` is our ``alpha``, its ``Delta_t`` our ``d`` and its
    ``v_t`` our ``s``.  ``s`` begins at 0; the paper's analysis begins at ``tau^2`` or more, which
    makes the first rounds smaller.  Adam of programs for training divides ``m`` and ``s`` by
    ``1 - beta^n``, and adds its ``eps`` to the root of the corrected ``s``: that is another method.
    As a step does not grow with the displacement, w does not settle while ``alpha`` is constant and
    far above ``tau``.  Not linear, so there are no exact moments.

    Source: Reddi et al. 2020, arXiv 2003.00295, algorithm 2.

    >>> w, memory = np.zeros((1, 1)), np.zeros((1, 2))
    >>> rule = FedAdam(alpha=2.0, beta1=0.75, beta2=0.75, tau=1.0)
    >>> rule.step(w, memory, displacement=np.array([[2.0]]), gamma=0.1)
    >>> w, memory
    (array([[0.5]]), array([[0.5, 1. ]]))
    """

    kind = "fed_adam"
    same_bits = "any machine"
    alpha: Positive
    beta1: Decay = 0.9
    beta2: Decay = 0.99
    tau: Positive = 1e-3
    memory = 2

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update both means, then move by their ratio."""
        m, s = np.split(v, 2, axis=1)
        update_mean(m, displacement, self.beta1)
        np.multiply(displacement, displacement, out=displacement)
        update_mean(s, displacement, self.beta2)
        move_by_ratio(w, m, s, self.alpha, self.tau, workspace=displacement)
