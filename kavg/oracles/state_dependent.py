"""Noise whose variance grows with the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import Constant, Floats, NoiseConstants, Objective, Precision, StochasticGradient
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.ranges import BatchSize, NonNegative, check_ranges


@final
class ScaledNoiseGradient:
    """The planned oracle: a standard deviation for each row, from its own gradient."""

    def __init__(
        self, objective: Objective, normals: Normals, noise: Floats, M: float, M_v: float
    ) -> None:
        self.objective = objective
        self.normals = normals
        self.M, self.M_v = M, M_v
        self.noise = noise
        self.deviations = np.empty_like(noise[..., 0])

    def select(self, learners: range) -> None:
        """Stand at these learners."""
        self.normals.streams.select(learners)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """``grad F + sqrt((M + M_v ||grad F||^2)/(B d)) z``."""
        deviation, noise = self.deviations[: len(x)], self.noise[: len(x)]
        self.objective.grad(x, out)
        np.vecdot(out, out, out=deviation)
        np.multiply(deviation, self.M_v, out=deviation)
        np.add(deviation, self.M, out=deviation)
        np.sqrt(deviation, out=deviation)
        np.copyto(noise, self.normals.draw(step, 1.0))
        np.multiply(noise, deviation[..., None], out=noise)
        np.add(out, noise, out=out)


@final
@dataclass(frozen=True)
class StateDependent:
    """``E ||e||^2 = (M + M_v ||grad F(x)||^2) / B``, Gaussian given x (docs/theory.md, 3.4 (b)).

    ``M_v = 0`` is ``Gaussian(sigma2=M)``.

    >>> StateDependent(M=1.0, M_v=0.5)
    StateDependent(M=1.0, M_v=0.5, B=1)
    """

    M: NonNegative
    M_v: NonNegative
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)

    def constants(self, objective: Objective) -> NoiseConstants:
        """``M`` and ``M_v`` as given."""
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
        """One normal a coordinate and step, scaled row by row."""
        normals = Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=objective.dim)
        share = 1.0 / (self.B * objective.dim)
        noise = np.empty((tile, R, objective.dim), dtype)
        return ScaledNoiseGradient(objective, normals, noise, self.M * share, self.M_v * share)
