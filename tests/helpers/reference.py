"""The papers' pseudocode, transcribed literally: one object a learner, one loop a line.

Slow on purpose.  The engine is held against it round by round, with the same noise handed to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

StochasticGradientAt = Callable[[np.ndarray, int, int], np.ndarray]
"""``(w, learner, step) -> g``: the gradient that learner sees at that local step."""

RULES = (
    *("averaging", "block_momentum", "nesterov", "nesterov_look_ahead", "quasi_hyperbolic"),
    "slowmo",
)


@dataclass
class Learner:
    j: int
    gradient: StochasticGradientAt
    w: np.ndarray
    step: int = 0

    def take_steps(self, K: int, gamma: float) -> None:
        for _ in range(K):
            self.w = self.w - gamma * self.gradient(self.w, self.j, self.step)
            self.step += 1


def mean_displacement(
    learners: list[Learner], start: np.ndarray, K: int, gamma: float
) -> tuple[np.ndarray, float]:
    for learner in learners:
        learner.w = start.copy()
        learner.take_steps(K, gamma)
    average = sum(learner.w for learner in learners) / len(learners)
    spread = sum(np.sum((learner.w - average) ** 2) for learner in learners) / len(learners)
    return average - start, spread


def rounds(
    gradient: StochasticGradientAt,
    w1: np.ndarray,
    *,
    P: int,
    K: int,
    gamma: Callable[[int], float],
    rule: str,
    mu: float = 0.0,
    alpha: float = 1.0,
    nu: float = 1.0,
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield ``(w_{n+1}, dispersion)`` for n = 1, 2, ..."""
    learners = [Learner(j, gradient, w1) for j in range(P)]
    w, v, n = w1.copy(), np.zeros_like(w1), 0
    while True:
        n += 1
        start = w + alpha * mu * v if rule == "nesterov" else w
        d, spread = mean_displacement(learners, start, K, gamma(n))
        if rule == "averaging":
            w = w + alpha * d
        elif rule == "block_momentum":
            v = mu * v + d
            w = w + alpha * v
        elif rule == "nesterov":
            anchor, w = w, start + alpha * d
            v = (w - anchor) / alpha
        elif rule == "nesterov_look_ahead":
            v = mu * v + d
            w = w + alpha * (d + mu * v)
        elif rule == "quasi_hyperbolic":
            v = mu * v + (1 - mu) * d
            w = w + alpha * ((1 - nu) * d + nu * v)
        elif rule == "slowmo":
            v = mu * v - d / gamma(n)
            w = w - alpha * gamma(n) * v
        yield w, spread
