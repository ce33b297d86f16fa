"""A uniform number and an angle from each random word, in float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.elementary.block_function import BLOCK
from kavg.elementary.sine import sine_cosine_of_half_turns
from kavg.oracles.streams import Streams, Words

Floats32 = NDArray[np.float32]
UPPER = np.uint64(33)
"""The shift that leaves the upper 31 bits of a word."""
UNIT = np.nextafter(np.float32(2.0**-31), np.float32(0))
"""The float32 below ``2**-31``: with ``2**-31`` a uniform could be rounded to 1."""
HALF_TURN: Final = np.float32(2.0**-31)
"""One unit of a signed 32-bit number, in half turns."""


@final
class UniformPairs:
    """A uniform in (0, 1) and an angle in [-1, 1) half turns from each word of ``streams``.

    Polar methods (Box and Muller's, Bailey's) turn the uniform into a radius.

    The uniform is ``(k + 1/2) / 2**31``, k the upper 31 bits, rounded to float32: fine near 0,
    where logarithms need it, and spaced 2**-24 near 1, which it cannot reach, as a vector of
    length 0 has no direction.  The angle is ``i / 2**31``, i the lower half of the word as a signed
    number.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        size = min(streams.out.size, BLOCK)
        self.sine, self.cosine = np.empty((2, size), np.float32)
        self.work = np.empty((4, size), np.float32)

    def lay_out(self) -> None:
        """Make float32 planes in the memory of the words, which are not needed once converted."""
        out, spare = self.streams.out.reshape(-1), self.streams.spare.reshape(-1)
        self.whole = spare.view(np.int32).reshape(2, -1)
        self.planes: Floats32 = out.view(np.float32).reshape(2, -1)
        self.angle, self.uniform = self.planes
        self.parts = [slice(i, i + BLOCK) for i in range(0, out.size, BLOCK)]

    def convert(self, words: Words) -> Iterator[tuple[slice, Floats32, Floats32, Floats32]]:
        """Yield a block of words part by part: its place, uniforms, and sines and cosines.

        A part has at most ``BLOCK`` words, so that its passes stay in the cache.  The caller may
        overwrite these arrays, and ``work (4, BLOCK)``; they are valid until the next part.
        """
        # Halves are taken as signed numbers, which NumPy converts in 0.07 ns, unsigned in 0.13 ns.
        # The first cast keeps the lower 32 bits of each word.
        flat = words.reshape(-1)
        np.copyto(self.whole[0], flat, casting="unsafe")
        np.right_shift(flat, UPPER, out=flat)
        np.copyto(self.whole[1], flat, casting="unsafe")
        np.copyto(self.planes, self.whole, casting="unsafe")
        np.add(self.uniform, np.float32(0.5), out=self.uniform)
        np.multiply(self.uniform, UNIT, out=self.uniform)
        np.multiply(self.angle, HALF_TURN, out=self.angle)
        for part in self.parts:
            uniform, angle = self.uniform[part], self.angle[part]
            sine, cosine = self.sine[: uniform.size], self.cosine[: uniform.size]
            sine_cosine_of_half_turns(angle, sine, cosine, self.work[:2, : uniform.size])
            yield part, uniform, sine, cosine
