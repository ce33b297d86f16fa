"""Noise whose variance grows with the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import (
    Constant,
    Floats,
    NoiseConstants,
    Objective,
    PlannedGradient,
    Precision,
    StochasticGradient,
)
from kavg.elementary.sums import SquareSums
from kavg.gradients import choose_gradient
from kavg.oracles.copies import split_copies
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.ranges import BatchSize, NonNegative, check_dimension, check_ranges


@final
class ScaledNoiseGradient:
    """The planned oracle: each row's noise is scaled by that row's own gradient.

    ``M`` and ``M_v`` are those of one coordinate: the oracle's divided by ``B d``.
    """

    def __init__(
        self, gradient: PlannedGradient, normals: Normals, noise: Floats, M: float, M_v: float
    ) -> None:
        self.gradient = gradient
        self.normals = normals
        self.M, self.M_v = M, M_v
        self.noise = noise
        self.deviations = np.empty_like(noise[..., 0])
        self.square_sums = SquareSums()

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.normals.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write ``grad F + sqrt((M + M_v ||grad F||^2)/(B d)) z`` to ``out (t, R, d)``."""
        deviation, noise = self.deviations[: len(x)], self.noise[: len(x)]
        self.gradient(x, out)
        self.find_deviations(out, deviation)
        np.multiply(self.normals.draw(step, 1.0), deviation[..., None], out=noise)
        np.add(out, noise, out=out)

    def find_deviations(self, gradients: Floats, out: Floats) -> None:
        """Write the deviation of a coordinate at each row of ``gradients (t, R, d)`` to ``out``."""
        self.square_sums(gradients, out)
        np.multiply(out, self.M_v, out=out)
        np.add(out, self.M, out=out)
        np.sqrt(out, out=out)


@final
class SharedNormals:
    """State-dependent noise of several copies: each scales the same normals by its gradients."""

    def __init__(self, scaled: ScaledNoiseGradient, copies: int) -> None:
        self.scaled, self.copies = scaled, copies

    def select(self, learners: range) -> None:
        """Select the learners that later calls draw for."""
        self.scaled.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write what ``ScaledNoiseGradient`` writes to ``out``; ``x, out (t, copies R, d)``."""
        scaled, copies = self.scaled, self.copies
        deviation, noise = scaled.deviations[: len(x)], scaled.noise[: len(x)]
        scaled.gradient(x, out)
        scaled.find_deviations(out, deviation)
        deviations = split_copies(deviation[..., None], copies)
        normals = scaled.normals.draw(step, 1.0)[:, None]
        np.multiply(normals, deviations, out=split_copies(noise, copies))
        np.add(out, noise, out=out)


@final
@dataclass(frozen=True)
class StateDependent:
    """``E ||e||^2 = (M + M_v ||grad F(x)||^2) / B``, Gaussian given x (docs/theory.md, 3.4 (b)).

    A variance of the whole vector: a coordinate has the d-th part.  One normal number a (replica,
    learner, step, coordinate), as for ``Gaussian``; ``M_v = 0`` is ``Gaussian(sigma2=M)`` up to
    the rounding of float32.

    >>> StateDependent(M=1.0, M_v=0.5)
    StateDependent(M=1.0, M_v=0.5, B=1)
    """

    kind = "state_dependent"
    same_bits = "any machine"
    M: NonNegative
    M_v: NonNegative
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return ``M`` and ``M_v`` as given, exact at each point; ``zeta2 = 0``."""
        source = "Gaussian noise with this variance at each point"
        equal = Constant(0.0, "exact", "equal learners")
        M, M_v = Constant(self.M, "exact", source), Constant(self.M_v, "exact", source)
        return NoiseConstants(M, M_v, equal, self.B)

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
        """Allocate one normal number a coordinate and step, and the noise ``(tile, R, d)``.

        The normals have deviation 1, since each row has a scale of its own.
        """
        return self._plan_scaled(objective, seed, R, 1, tile, dtype)

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
        """Allocate as ``plan`` for rows that are ``copies`` times R, with normals for one copy."""
        return SharedNormals(self._plan_scaled(objective, seed, R, copies, tile, dtype), copies)

    def _plan_scaled(
        self, objective: Objective, seed: int, R: int, copies: int, tile: int, dtype: Precision
    ) -> ScaledNoiseGradient:
        d = check_dimension(objective)
        normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)
        share = 1.0 / (self.B * d)
        noise = np.empty((tile, copies * R, d), dtype)
        gradient = choose_gradient(objective, tile=tile, R=copies * R, dtype=dtype)
        return ScaledNoiseGradient(gradient, normals, noise, self.M * share, self.M_v * share)
