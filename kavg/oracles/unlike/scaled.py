"""Heterogeneous learners: each has its own curvature and its own linear term."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from kavg.base import (
    NoiseConstants,
    Objective,
    Precision,
    StochasticGradient,
    unknown_constant,
)
from kavg.gradients import choose_gradient
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.noiseless import Noiseless
from kavg.oracles.shifted import Shifted, ShiftedGradient
from kavg.oracles.unlike.learner_gradients import ScaledGradient, plan_unlike
from kavg.oracles.unlike.pairs import refuse_one_learner
from kavg.portability import SameBits, find_same_bits
from kavg.ranges import NonNegative, Seed, Share, check_dimension, check_ranges


@final
@dataclass(frozen=True)
class Scaled:
    """Learner j minimises ``f_j(w) = (1 + spread s_j) F(w) + <b_j, w>``: curvatures differ.

    ``s_j`` is 1 and -1 in turn, and ``sqrt(2) (1, -1/2, -1/2)`` for the last three of an odd number
    of learners; ``b_j`` are the shifts of ``Shifted`` with the same ``zeta2`` and ``seed``.  Both
    have mean 0, so F is the mean of the ``f_j``.  On a quadratic, learner j has the curvatures
    ``h_j = (1 + spread s_j) h`` and the minimiser ``c_j = -b_j / h_j``: with K > 1 rounds settle at
    a point that is not the minimum of F (docs/theory.md, 4.7).  With ``spread = 0`` it has the bits
    of ``Shifted``, where they settle at the minimum.  In ``UnlikeFunctions`` learners add another
    function instead.

    >>> from kavg.oracles import Gaussian
    >>> Scaled(spread=0.5, zeta2=1.0, noise=Gaussian(sigma2=0.5)).spread
    0.5
    """

    kind = "scaled"
    spread: Share
    zeta2: NonNegative = 0.0
    noise: AdditiveNoise | Noiseless = Noiseless()  # noqa: RUF009 (frozen)
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def same_bits(self) -> SameBits:
        """Where draws have the same bits: as the law of ``noise`` says."""
        return find_same_bits(self.noise)

    @property
    def _shifts(self) -> Shifted:
        return Shifted(self.zeta2, self.noise, self.seed)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return the constants of ``noise``, with ``zeta2``, which is unknown where ``spread > 0``.

        Learners then differ by ``spread s_j grad F`` besides, which is not bounded.
        """
        known = self._shifts.constants(objective)
        if self.spread == 0:
            return known
        why = "learners differ by a share of grad F, which has no bound, besides their shifts"
        return replace(known, zeta2=unknown_constant(why))

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
        """Plan gradients and noise; factors and shifts of a tile are computed when it is selected.

        Raises KavgError if ``P = 1`` and learners differ: one learner is the mean of all.
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
        refuse_one_learner(P, "spread", self.spread)
        refuse_one_learner(P, "zeta2", self.zeta2)
        d = check_dimension(objective)
        gradient = choose_gradient(objective, tile=tile, R=copies * R, dtype=dtype)
        own = ScaledGradient(gradient, self.spread, P, dtype)
        shape = (tile, R, d)
        noisy = plan_unlike(own, self.noise, seed=seed, shape=shape, copies=copies, dtype=dtype)
        return ShiftedGradient(noisy, self._shifts, P, d, dtype)
