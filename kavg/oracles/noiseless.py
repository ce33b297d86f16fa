"""The oracle without noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import (
    Floats,
    NoiseConstants,
    Objective,
    PlannedGradient,
    Precision,
    StochasticGradient,
)
from kavg.gradients import choose_gradient
from kavg.oracles.additive import additive_constants


@final
class ExactGradient:
    """The planned oracle without noise: the exact gradient for every learner."""

    def __init__(self, gradient: PlannedGradient) -> None:
        self.gradient = gradient

    def select(self, learners: range) -> None:
        """Do nothing, as all learners are alike."""

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad F(x)`` to ``out``; ``x, out (t, R, d)``."""
        self.gradient(x, out)


@final
@dataclass(frozen=True)
class Noiseless:
    """``g = grad F(x)``: every learner has the exact gradient, so P learners move as one.

    ``sigma2 = 0`` exactly.  Nothing is drawn, so nothing is addressed.

    >>> Noiseless()
    Noiseless()
    """

    kind = "none"
    same_bits = "any machine"

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
        """Allocate the gradient, where the objective has workspace for it."""
        return ExactGradient(choose_gradient(objective, tile=tile, R=R, dtype=dtype))

    def plan_copies(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        copies: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """Allocate the gradient for rows that are ``copies`` times R."""
        return self.plan(objective, seed=seed, P=P, R=copies * R, tile=tile, dtype=dtype)
