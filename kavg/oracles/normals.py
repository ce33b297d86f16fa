"""Normal random numbers from addressed words, by a table of quantiles and a rotation.

Each 64-bit word has four 16-bit lanes, and a lane looks up one of 65,536 quantiles of the normal
law.  Two such numbers A and B become two normals by a rotation of the plane,
``z1 = 0.8 A + 0.6 B`` and ``z2 = 0.6 A - 0.8 B``: these have 2^32 values, and tails to six standard
deviations.  Integers, products, sums and a table: the same bits on every machine, without
a logarithm or a sine (docs/design.md, "Normals from a table").
"""

from __future__ import annotations

from typing import Final, final

import numpy as np

from kavg.base import Floats, Precision
from kavg.oracles.block_draws import BlockDraws, steps_ahead
from kavg.oracles.quantiles import SIZE, normal_quantiles
from kavg.oracles.streams import Purpose, Streams, Words, split_words

LONG_SIDE: Final = 0.8
"""The cosine of the rotation, whose sine is 0.6: the angles of the triangle 3, 4, 5."""
RATIO: Final = np.array(0.75, np.float32)
"""The short side over the long one; an array without axes, which NumPy handles faster."""

PART: Final = 65_536
"""Lanes that are looked up and rotated at once: their passes stay in an L2 cache."""


@final
class Normals(BlockDraws):
    """Planned normal draws ``(t, R, d)``, computed in float32 and returned in ``dtype``.

    Coordinates ``2i`` and ``2i + 1`` of a vector are the two normals of one pair of lanes; with an
    odd ``d`` the last pair's second one is not used.  So all draws of different steps, learners and
    replicas come from different lanes, and given the past a draw is what it is without it.

    - The mean is 0 and the two normals of a pair are uncorrelated, exactly: the table has the
      opposite of each entry, and ``(-B, A)`` makes ``(z2, -z1)``.  The variance is 1 to 2e-9.
    - All joint moments of a pair up to order 11 are those of independent normals.
    - A draw has 24 significant bits; the largest is 6.33 standard deviations.
    - What is wrong with it: the rotation can be undone.  ``0.8 z1 + 0.6 z2`` is A, which has 65,536
      values and is normal to that resolution only.  And the direction of ``(z1, z2)`` has atoms:
      A = B or A = -B in one of 32,768 pairs, and then ``z2/z1`` is -1/7 or 7 up to rounding.  The
      theorems use that noise has mean zero given the past, its variance, and that coordinates and
      learners are uncorrelated.

    The pairs of ``kavg.oracles.box_muller`` are independent to the resolution of float32.
    """

    def __init__(
        self,
        *,
        seed: int,
        purpose: Purpose,
        R: int,
        tile: int,
        d: int,
        dtype: Precision = "float32",
    ) -> None:
        self.R, self.d, self.pairs = R, d, (d + 1) // 2
        # Four lanes a word.  The replicas of a learner may share a word, but not a lane.
        W = (R * self.pairs + 1) // 2
        ahead = steps_ahead(4 * tile * W)
        # The words of all replicas in a row: as R rows each would end with a word half used.
        super().__init__(Streams(seed=seed, purpose=purpose, R=1, tile=tile, W=W, ahead=ahead))
        lanes = ahead * tile * 4 * W
        self.table = np.empty(SIZE, np.float32)
        self.scale: float | None = None
        self.indices = np.empty(min(lanes, PART), np.intp)
        self.rotated = np.empty(lanes, np.float32)
        self.shorter = np.empty(min(lanes, PART), np.float32)
        # Draws in float32 are handed out where they are computed.
        self.values = np.empty(0 if dtype == "float32" else ahead * tile * R * d, dtype)

    def _lay_out(self, t: int) -> None:
        ahead, W = self.streams.ahead, self.streams.W
        rotated = self.rotated[: ahead * t * 4 * W]
        rows = rotated.reshape(ahead, t, 4 * W)[..., : 2 * self.R * self.pairs]
        self.draws = rows.reshape(ahead, t, self.R, 2 * self.pairs)[..., : self.d]
        self.converted = self.values[: self.draws.size].reshape(-1, *self.draws.shape[1:])
        self.steps = [*(self.converted if self.values.size else self.draws)]
        self.parts = [
            (slice(i, i + PART), rotated[i : i + PART]) for i in range(0, rotated.size, PART)
        ]

    def _fill(self, words: Words, scale: float) -> None:
        if scale != self.scale:
            # In float64, as a factor rounded to float32 would be an error of the variance.
            scaled = LONG_SIDE * scale * normal_quantiles().astype(np.float64)
            np.copyto(self.table, scaled, casting="same_kind")
            self.scale = scale
        lanes = split_words(words, np.uint16).reshape(-1)
        for place, rotated in self.parts:
            index, shorter = self.indices[: rotated.size], self.shorter[: rotated.size]
            np.copyto(index, lanes[place])
            # No index is out of range; "clip" lets np.take write to ``out`` without a copy.
            np.take(self.table, index, out=rotated, mode="clip")
            np.multiply(rotated, RATIO, out=shorter)
            first, second = rotated[0::2], rotated[1::2]
            np.add(first, shorter[1::2], out=first)
            np.subtract(shorter[0::2], second, out=second)
        if self.values.size:
            # One conversion for all steps: np.add of two precisions would allocate at each step.
            np.copyto(self.converted, self.draws)


def draw_normals(seed: int, purpose: Purpose, R: int, d: int, learners: range) -> Floats:
    """Return standard normals at step 0, ``(len(learners), R, d)`` in float64.

    For set-up, not for loops (``Normals``): each call allocates its workspace.

    >>> draw_normals(1, Purpose.START, 2, 3, range(1)).shape
    (1, 2, 3)
    """
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=len(learners), d=d)
    normals.streams.select(learners)
    return normals.draw(0, 1.0).astype(np.float64)
