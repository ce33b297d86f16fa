"""Heterogeneous learners: each has its own function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from kavg.base import (
    AnalyticObjective,
    NoiseConstants,
    Objective,
    Precision,
    StochasticGradient,
    unknown_constant,
)
from kavg.errors import KavgError
from kavg.gradients import choose_gradient
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.noiseless import Noiseless
from kavg.oracles.unlike.learner_gradients import SummedGradient, plan_unlike
from kavg.portability import SameBits, find_same_bits
from kavg.ranges import check_dimension, check_ranges


@final
@dataclass(frozen=True)
class UnlikeFunctions:
    """Learner j minimises ``f_j(w) = F(w) + s_j G(w)``, where ``function`` is G.

    ``s_j`` is 1 and -1 in turn, and ``sqrt(2) (1, -1/2, -1/2)`` for the last three of an odd number
    of learners: their mean is 0, so F is the mean of the ``f_j``.  G is any objective of as many
    coordinates that is not over data: with a quadratic learners differ by curvature in each
    direction, with a cosine each sees ripples where its neighbour sees none.  ``Scaled`` takes a
    multiple of F itself for G, and adds shifts.

    >>> from kavg.objectives import Cosine
    >>> UnlikeFunctions(Cosine(dim=2, lam=0.0, A=0.5)).function.A
    0.5
    """

    kind = "unlike_functions"
    function: AnalyticObjective
    noise: AdditiveNoise | Noiseless = Noiseless()  # noqa: RUF009 (frozen)

    def __post_init__(self) -> None:
        check_ranges(self)
        # Settings name none, as the paths of [objective] alone are resolved.
        if hasattr(self.function, "plan_batches"):
            raise KavgError(
                "function must be an objective without data, got "
                f"{type(self.function).__name__}; use a partition of minibatch for data that differ"
            )

    @property
    def same_bits(self) -> SameBits:
        """Where gradients have the same bits: the weaker of what ``noise`` and G promise."""
        return find_same_bits(self.noise, self.function)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of ``noise``, with an unknown ``zeta2``.

        Theorems on learners that differ need an L of every ``f_j``, and that of F is none.
        """
        why = "the functions of the learners may be less smooth than F"
        return replace(self.noise.constants(objective), zeta2=unknown_constant(why))

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
        """Plan both gradients, and the noise.

        Raises KavgError if ``P = 1``, as one learner is the mean of all, or if G has another
        dimension than the objective.
        """
        return self.plan_copies(objective, seed=seed, P=P, R=R, copies=1, tile=tile, dtype=dtype)

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
        """Plan as ``plan`` for rows that are ``copies`` times R, with one draw for all copies."""
        if P == 1:
            raise KavgError(
                "one learner cannot differ from the mean of all, got P=1 and a function; use P of "
                "at least 2, or the oracle of noise alone"
            )
        d, other = check_dimension(objective), check_dimension(self.function)
        if d != other:
            raise KavgError(
                f"function must have the dimension of the objective, got {other} and {d}; "
                f"set oracle.function.dim to {d}"
            )
        rows = copies * R
        own = SummedGradient(
            choose_gradient(objective, tile=tile, R=rows, dtype=dtype),
            choose_gradient(self.function, tile=tile, R=rows, dtype=dtype),
            P,
            np.empty((tile, rows, d), dtype),
        )
        shape = (tile, R, d)
        return plan_unlike(own, self.noise, seed=seed, shape=shape, copies=copies, dtype=dtype)
