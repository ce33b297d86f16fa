"""Rademacher noise: every coordinate is plus or minus the same number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from kavg.base import Precision
from kavg.oracles.additive import AdditiveNoise
from kavg.oracles.normals import Floats32
from kavg.oracles.streams import Purpose, Streams, steps_ahead
from kavg.ranges import BatchSize, NonNegative


@final
class Signs:
    """Planned random signs ``(t, R, d)``, eight from each word.

    A coordinate's sign is the top bit of one byte, so a vector uses ``ceil(d/8)`` words a step.
    """

    def __init__(self, *, seed: int, R: int, tile: int, d: int) -> None:
        W = -(-d // 8)
        self.ahead = steps_ahead(tile * R * W)
        self.streams = Streams(
            seed=seed, purpose=Purpose.NOISE, R=R, tile=tile, W=W, ahead=self.ahead
        )
        self.values = np.empty((self.ahead, tile, R, d), np.float32)
        self.address: tuple[int, float, range] | None = None

    def draw(self, step: int, scale: float) -> Floats32:
        """Return ``+scale`` or ``-scale``, ``(t, R, d)``, not to be written to.

        They are valid until the next call.
        """
        block, place = divmod(step, self.ahead)
        if self.address != (block, scale, self.streams.learners):
            self._fill(block * self.ahead, scale)
            self.address = (block, scale, self.streams.learners)
        return self.values[place, : len(self.streams.learners)]

    def _fill(self, step: int, scale: float) -> None:
        octets = self.streams.block(step).view(np.int8)
        values = self.values[:, : octets.shape[1]]
        # An arithmetic shift leaves 0 or -1; plus 1/2 and times 2 scale that is +-scale.
        np.right_shift(octets, np.int8(7), out=octets)
        # The last word has more bytes than coordinates are left, unless 8 divides d.
        np.copyto(values, octets[..., : values.shape[-1]])
        np.add(values, np.float32(0.5), out=values)
        np.multiply(values, np.float32(2 * scale), out=values)


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
        return Signs(seed=seed, R=R, tile=tile, d=d)
