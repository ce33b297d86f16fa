"""Outer Adagrad: every coordinate is divided by the root of all its squared displacements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Floats
from kavg.outer.moving_means import move_by_ratio, update_mean
from kavg.ranges import Decay, Positive, check_ranges


@final
@dataclass(frozen=True)
class FedAdagrad:
    """FedAdagrad: Adagrad on the mean displacement.

    With ``m`` and ``s`` side by side in the memory, squares and roots by coordinate::

        m = beta1 m + (1 - beta1) d
        s = s + d^2
        w = w + alpha m/(sqrt(s) + tau)

    As ``FedAdam``, but ``s`` is the sum of all squares, so that steps shrink like ``1/sqrt(n)``.
    With ``beta1 = 0``, as in the paper's experiments, ``m`` is the displacement.

    Source: Reddi et al. 2020, arXiv 2003.00295, algorithm 2.

    >>> w, memory = np.zeros((1, 1)), np.zeros((1, 2))
    >>> rule = FedAdagrad(alpha=3.0, tau=1.0)
    >>> rule.step(w, memory, displacement=np.array([[2.0]]), gamma=0.1)
    >>> w, memory
    (array([[2.]]), array([[2., 4.]]))
    """

    kind = "fed_adagrad"
    same_bits = "any machine"
    alpha: Positive
    beta1: Decay = 0.0
    tau: Positive = 1e-3
    memory = 2

    def __post_init__(self) -> None:
        check_ranges(self)

    def start(self, w: Floats, v: Floats, out: Floats) -> None:
        """Start all learners at the meta-iterate: ``out = w``."""
        out[...] = w

    def step(self, w: Floats, v: Floats, displacement: Floats, gamma: float) -> None:
        """Update the mean and the sum of squares, then move by their ratio."""
        m, s = np.split(v, 2, axis=1)
        update_mean(m, displacement, self.beta1)
        np.multiply(displacement, displacement, out=displacement)
        np.add(s, displacement, out=s)
        move_by_ratio(w, m, s, self.alpha, self.tau, workspace=displacement)
