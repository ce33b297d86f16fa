"""No noise: the exact gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import Floats, NoiseConstants, Objective, Precision, StochasticGradient
from kavg.oracles.additive import additive_constants


@final
class ExactGradient:
    """The planned oracle without noise."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def select(self, learners: range) -> None:
        """All learners are alike."""

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """The gradient itself."""
        self.objective.grad(x, out)


@final
@dataclass(frozen=True)
class Noiseless:
    """``g = grad F(x)``: every learner sees the exact gradient, so P learners walk as one.

    >>> Noiseless()
    Noiseless()
    """

    def constants(self, objective: Objective) -> NoiseConstants:
        """No variance."""
        return additive_constants(0.0, 1, "no noise")

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Nothing to allocate."""
        return ExactGradient(objective)
