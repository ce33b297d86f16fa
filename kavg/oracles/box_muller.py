"""Normal random numbers from addressed words by Box and Muller's transform, in float32.

Slower than a table (``kavg.oracles.normals``), but two normals of a word are independent of each
other to the resolution of float32.  The logarithm, sine and cosine are those of
``kavg.elementary``: the same bits on every machine.

Source: Box and Muller 1958, "A note on the generation of random normal deviates".
"""

from __future__ import annotations

from typing import final

import numpy as np

from kavg.base import Precision
from kavg.elementary.logarithm import write_log_single
from kavg.oracles.block_draws import BlockDraws, steps_ahead
from kavg.oracles.streams import Purpose, Streams, Words
from kavg.oracles.uniform_pairs import UniformPairs


@final
class PolarNormals(BlockDraws):
    """Planned normal draws ``(t, R, d)``, computed in float32 and returned in ``dtype``.

    ``z = sqrt(-2 log u) (cos, sin)(angle)``: one word gives coordinates ``2i`` and ``2i + 1`` of a
    vector; with an odd ``d`` the last sine is not used.  A draw has 24 significant bits and is at
    most 6.66 standard deviations; the variance is exact to about 1e-7.
    """

    def __init__(
        self, *, seed: int, purpose: Purpose, R: int, tile: int, d: int, dtype: Precision
    ) -> None:
        self.d, W = d, (d + 1) // 2
        ahead = steps_ahead(2 * tile * R * W)
        super().__init__(Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=W, ahead=ahead))
        self.uniforms = UniformPairs(self.streams)
        self.values = np.empty((ahead * tile * R * W, 2), dtype)

    def _lay_out(self, t: int) -> None:
        self.uniforms.lay_out()
        shape = self.streams.out.shape
        self.pairs = self.values[: self.streams.out.size]
        self.steps = [*self.pairs.reshape(*shape[:-1], -1)[..., : self.d]]

    def _fill(self, words: Words, scale: float) -> None:
        # The scale goes into the radius: one pass less than scaling both results.
        factor = np.float32(-2.0 * scale * scale)
        for part, radius, sine, cosine in self.uniforms.convert(words):
            write_log_single(radius, radius, self.uniforms.work[:, : radius.size])
            np.multiply(radius, factor, out=radius)
            np.sqrt(radius, out=radius)
            np.multiply(cosine, radius, out=cosine)
            np.multiply(sine, radius, out=sine)
            pairs = self.pairs[part]
            np.copyto(pairs[:, 0], cosine)
            np.copyto(pairs[:, 1], sine)
