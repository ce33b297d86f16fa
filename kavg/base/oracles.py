"""Protocols of oracles: the law of stochastic gradients, and what draws them."""

from __future__ import annotations

from typing import Protocol

from kavg.base.objectives import Objective
from kavg.base.values import Floats, NoiseConstants, Precision


class StochasticGradient(Protocol):
    """A planned oracle: select a tile of learners, then call it for one step after another.

    What it draws depends on seed, learner, replica and step alone, in whatever order it is called.
    """

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for (at most ``tile``)."""
        ...

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the stochastic gradients at ``x (t, R, d)`` of local step ``step`` to ``out``.

        ``t = len(learners)``; ``step`` counts from 0 over the whole run.
        """
        ...


class Oracle(Protocol):
    """The law of stochastic gradients of an objective; ``plan`` makes the sampler.

    Draws are addressed, not sequential: a number follows from seed, learner, replica and step,
    however the learners are divided among tiles and ranks.  A run checks that before its first
    round, unless the oracle has the attribute ``addressed = False``.
    """

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of these stochastic gradients of ``objective``."""
        ...

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
        """Allocate for tiles of up to ``tile`` of ``P`` learners with ``R`` replicas each.

        ``dtype`` is the precision of iterates and gradients.  Raises ``KavgError`` if the
        objective or ``P`` does not suit the oracle.
        """
        ...
