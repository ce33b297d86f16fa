"""Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.ranges import BatchSize, NonNegative


@final
@dataclass(frozen=True)
class Gaussian(AdditiveNoise):
    """``e ~ N(0, sigma2/(B d) I)``: ``E ||e||^2 = sigma2 / B`` over the whole vector.

    One normal number a (replica, learner, step, coordinate).  ``StateDependent(M, M_v=0)`` has
    the same law; ``StudentT`` has heavier tails.

    >>> Gaussian(sigma2=1.0, B=4)
    Gaussian(sigma2=1.0, B=4)
    """

    kind = "gaussian"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    source: ClassVar[str] = "Gaussian noise of this variance"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Normals:
        """Allocate one standard normal number a coordinate and step."""
        return Normals(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)
