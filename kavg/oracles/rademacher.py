"""Rademacher noise: every coordinate is plus or minus the same number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.block_draws import BlockDraws, steps_ahead
from kavg.oracles.streams import Purpose, Streams, Words, split_words
from kavg.ranges import BatchSize, NonNegative


@final
class Signs(BlockDraws):
    """Planned random signs ``(t, R, d)``, 64 from each word, returned in ``dtype``.

    The coordinates of all replicas of a learner take the bits of its words in a row, the lowest
    first; a 1 is plus.
    """

    def __init__(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> None:
        self.R, self.d = R, d
        W = (R * d + 63) // 64
        ahead = steps_ahead(tile * R * d)
        super().__init__(
            Streams(seed=seed, purpose=Purpose.NOISE, R=1, tile=tile, W=W, ahead=ahead)
        )
        # No more than is handed out, up to the last eight: a word of 64 may be used for one sign.
        self.octets, columns = (R * d + 7) // 8, min(8, R * d)
        octets = ahead * tile * self.octets
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
        self.signs = 2.0 * bits[:, :columns] - 1.0
        self.table = np.empty((256, columns), dtype)
        self.scale: float | None = None
        self.indices = np.empty(octets, np.intp)
        self.values = np.empty((octets, columns), dtype)

    def _lay_out(self, t: int) -> None:
        ahead = self.streams.ahead
        octets = ahead * t * self.octets
        self.index, self.rows = self.indices[:octets], self.values[:octets]
        self.index_rows = self.index.reshape(ahead, t, 1, self.octets)
        draws = self.rows.reshape(ahead, t, -1)[..., : self.R * self.d]
        self.steps = [*draws.reshape(ahead, t, self.R, self.d)]

    def _fill(self, words: Words, scale: float) -> None:
        if scale != self.scale:
            np.multiply(self.signs, scale, out=self.table, casting="same_kind")
            self.scale = scale
        np.copyto(self.index_rows, split_words(words, np.uint8)[..., : self.octets])
        # Eight signs at once; "clip" lets np.take write to ``out`` without a copy.
        np.take(self.table, self.index, axis=0, out=self.rows, mode="clip")


@final
@dataclass(frozen=True)
class Rademacher(AdditiveNoise):
    """``e_i = +-sqrt(sigma2/(B d))`` with equal chance: ``||e||^2 = sigma2/B`` in every draw.

    One bit a (replica, learner, step, coordinate).  ``Sphere`` has the same norm in every draw
    with a uniform direction; this noise has ``2^d`` directions.

    >>> Rademacher(sigma2=1.0)
    Rademacher(sigma2=1.0, B=1)
    """

    kind = "rademacher"
    same_bits = "any machine"
    sigma2: NonNegative
    B: BatchSize = 1
    source: ClassVar[str] = "two-point noise of this variance"

    def plan_draws(self, *, seed: int, R: int, tile: int, d: int, dtype: Precision) -> Signs:
        """Allocate one sign a coordinate and step."""
        return Signs(seed=seed, R=R, tile=tile, d=d, dtype=dtype)
