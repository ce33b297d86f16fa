"""The oracle without noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import Floats, NoiseConstants, Objective, Precision, StochasticGradient
from kavg.oracles.additive import additive_constants


@final
class ExactGradient:
    """The planned oracle without noise: the exact gradient for every learner.

    It has no workspace, so a tile may have any number of learners.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def select(self, learners: range) -> None:
        """Do nothing, as all learners are alike."""

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad F(x)`` to ``out``; ``x, out (t, R, d)``."""
        self.objective.grad(x, out)


@final
@dataclass(frozen=True)
class Noiseless:
    """``g = grad F(x)``: every learner has the exact gradient, so P learners move as one.

    ``sigma2 = 0`` exactly.  Nothing is drawn, so nothing is addressed.

    >>> Noiseless()
    Noiseless()
    """

    kind = "none"

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return ``M = M_v = zeta2 = 0``, whatever the objective."""
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
        """Return the gradient itself; there is nothing to allocate."""
        return ExactGradient(objective)
