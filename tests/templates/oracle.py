"""Uniform noise: the template of an additive law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import Floats, Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.streams import Purpose, Streams, split_words
from kavg.ranges import BatchSize, NonNegative

UNIT = math.sqrt(3) / 2**31
"""Scales 32-bit numbers to variance 1: uniform numbers on [-1, 1] have variance 1/3."""


@final
class UniformDraws:
    """Planned uniform draws ``(t, R, d)`` of variance 1, two from each word.

    The draws are a function of their address (seed, replica, learner, step) and of nothing else:
    ``streams`` makes the words, so no tile, no order and no rank can change them.
    """

    def __init__(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> None:
        self.d = d
        self.streams = Streams(seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, W=-(-d // 2))
        # In the precision of the gradients they are added to.
        self.values = np.empty((tile, R, d), dtype)

    def draw(self, step: int, scale: float) -> Floats:
        """Return draws of standard deviation ``scale``, valid until the next call."""
        halves = split_words(self.streams.words(step), np.uint32).view(np.int32)[..., : self.d]
        # Into an array that is there: a step allocates nothing.
        values = self.values[: len(halves)]
        np.copyto(values, halves, casting="same_kind")
        return np.multiply(values, UNIT * scale, out=values)


@final
@dataclass(frozen=True)
class Uniform(AdditiveNoise):
    """``e_i`` uniform on ``+-sqrt(3 sigma2/(B d))``: ``E ||e||^2 = sigma2/B``, bounded.

    Write here how the law differs from its near twins and where it comes from.

    >>> Uniform(sigma2=1.0)
    Uniform(sigma2=1.0, B=1)
    """

    kind = "uniform"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    source: ClassVar[str] = "uniform noise of this variance"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> UniformDraws:
        """Allocate one uniform number a coordinate and step."""
        return UniformDraws(seed=seed, R=R, tile=tile, d=d, dtype=dtype)
