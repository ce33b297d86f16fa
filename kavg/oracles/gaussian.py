"""Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.base import NoiseConstants, Objective, Precision, StochasticGradient
from kavg.oracles.additive import NoisyGradient, additive_constants, check_additive
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose


@final
@dataclass(frozen=True)
class Gaussian:
    """``e ~ N(0, sigma2/(B d) I)``: ``E ||e||^2 = sigma2 / B`` over the whole vector.

    >>> Gaussian(sigma2=1.0, B=4)
    Gaussian(sigma2=1.0, B=4)
    """

    sigma2: float
    B: int = 1

    def __post_init__(self) -> None:
        check_additive(self.sigma2, self.B)

    def constants(self, objective: Objective) -> NoiseConstants:
        """``M = sigma2``."""
        return additive_constants(self.sigma2, self.B, "Gaussian noise of this variance")

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
        """One normal a coordinate and step."""
        normals = Normals(
            seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=objective.dim, dtype=dtype
        )
        noise = np.empty((tile, R, objective.dim), dtype)
        return NoisyGradient(objective, normals, self.sigma2, self.B, noise)
