"""Planned gradients of the learners' own functions, with the noise of an additive law."""

from __future__ import annotations

from typing import Protocol, final

import numpy as np

from kavg.base import Floats, PlannedGradient, Precision
from kavg.oracles.additive import AdditiveNoise, NoisyGradient, SharedNoise
from kavg.oracles.noiseless import ExactGradient, Noiseless
from kavg.oracles.unlike.pairs import pair_factors


class LearnerGradient(Protocol):
    """The exact gradients of the functions of the selected learners."""

    def select(self, learners: range) -> None:
        """Select the learners whose functions later calls are about."""
        ...

    def __call__(self, x: Floats, out: Floats) -> object:
        """Write ``grad f_j(x)`` to ``out``; ``x, out (t, R, d)``."""
        ...


@final
class ScaledGradient:
    """``(1 + spread s_j) grad F(x)``, of learners with the factors of ``pair_factors``."""

    def __init__(self, gradient: PlannedGradient, spread: float, P: int, dtype: Precision) -> None:
        self.gradient, self.spread, self.P, self.dtype = gradient, spread, P, dtype
        self.factors: Floats = np.empty((0, 1, 1), dtype)

    def select(self, learners: range) -> None:
        """Select the learners whose functions later calls are about."""
        _, s = pair_factors(self.P, learners)
        self.factors = (1.0 + self.spread * s)[:, None, None].astype(self.dtype)

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the gradients at ``x (t, R, d)`` to ``out``."""
        self.gradient(x, out)
        np.multiply(out, self.factors, out=out)


@final
class SummedGradient:
    """``grad F(x) + s_j grad G(x)``, of learners with the factors of ``pair_factors``."""

    def __init__(
        self, gradient: PlannedGradient, other: PlannedGradient, P: int, work: Floats
    ) -> None:
        """``work`` holds the gradients of G, ``(tile, R, d)``."""
        self.gradient, self.other, self.P, self.work = gradient, other, P, work
        self.factors: Floats = np.empty((0, 1, 1), work.dtype)

    def select(self, learners: range) -> None:
        """Select the learners whose functions later calls are about."""
        _, s = pair_factors(self.P, learners)
        self.factors = s[:, None, None].astype(self.work.dtype)

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the gradients at ``x (t, R, d)`` to ``out``."""
        own = self.work[: len(x)]
        self.gradient(x, out)
        self.other(x, own)
        np.multiply(own, self.factors, out=own)
        np.add(out, own, out=out)


@final
class UnlikeGradient:
    """The planned oracle: each learner's own gradient, plus draws of a law that all have."""

    def __init__(
        self, own: LearnerGradient, noisy: NoisyGradient | SharedNoise | ExactGradient
    ) -> None:
        """``noisy`` adds its draws to the gradients of ``own``."""
        self.own, self.noisy = own, noisy

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.own.select(learners)
        self.noisy.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad f_j(x) + e`` to ``out``; ``x, out (t, R, d)``."""
        self.noisy(x, step, out)


def plan_unlike(
    own: LearnerGradient,
    noise: AdditiveNoise | Noiseless,
    *,
    seed: int,
    shape: tuple[int, int, int],
    copies: int,
    dtype: Precision,
) -> UnlikeGradient:
    """Plan the learners' own gradients with noise, for tiles of ``shape = (tile, R, d)``.

    R is the number of replicas that draw; the rows of a gradient are ``copies`` times as many.
    """
    tile, R, d = shape
    if isinstance(noise, Noiseless):
        return UnlikeGradient(own, ExactGradient(own))
    draws = noise.plan_draws(seed=seed, R=R, tile=tile, d=d, dtype=dtype)
    noisy = NoisyGradient(own, draws, noise.sigma2, noise.B, d)
    return UnlikeGradient(own, noisy if copies == 1 else SharedNoise(noisy, copies))
