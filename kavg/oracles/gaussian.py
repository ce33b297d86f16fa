"""Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise, Draws
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose
from kavg.ranges import BatchSize, NonNegative


@final
@dataclass(frozen=True)
class Gaussian(AdditiveNoise):
    """``e ~ N(0, sigma2/(B d) I)``: ``E ||e||^2 = sigma2 / B`` over the whole vector.

    One normal number a (replica, learner, step, coordinate).  ``normals`` says how they are made:
    from a ``"table"``, whose coordinates ``2i`` and ``2i + 1`` are uncorrelated but not quite
    independent (``kavg.oracles.normals``), or by ``"box_muller"``, which takes twice as long.
    ``StateDependent(M, M_v=0)`` has the same law; ``StudentT`` has heavier tails.

    >>> Gaussian(sigma2=1.0, B=4)
    Gaussian(sigma2=1.0, B=4, normals='table')
    """

    kind = "gaussian"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    normals: Literal["table", "box_muller"] = "table"
    source: ClassVar[str] = "Gaussian noise of this variance"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Draws:
        """Allocate one standard normal number a coordinate and step."""
        plan = Normals if self.normals == "table" else PolarNormals
        return plan(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, d=d, dtype=dtype)
