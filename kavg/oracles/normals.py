"""Normal random numbers from addressed words, in float32, by Box and Muller's transform.

float32, because NumPy's ``log``, ``sqrt``, ``sin`` and ``cos`` of that precision use vector
instructions (docs/design.md, "Normals in float32").

Source: Box and Muller 1958, "A note on the generation of random normal deviates".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.oracles.streams import Purpose, Streams, steps_ahead

Floats32 = NDArray[np.float32]
UPPER = np.uint64(33)
"""The shift that leaves the upper 31 bits of a word."""
UNIT = np.nextafter(np.float32(2.0**-31), np.float32(0))
"""The float32 below ``2**-31``: with ``2**-31`` a uniform could be rounded to 1."""
RADIANS = np.float32(np.pi * 2.0**-31)
"""The angle of one unit of a signed 32-bit number."""


@final
class UniformPairs:
    """A uniform in (0, 1) and an angle in [-pi, pi) from each word: float32 ``(ahead, t, R, W)``.

    Polar methods (Box and Muller's, Bailey's) turn the uniform into a radius.

    The uniform is ``(k + 1/2) / 2**31``, k the upper 31 bits, rounded to float32: fine near 0,
    where logarithms need it, and spaced 2**-24 near 1, which it cannot reach, as a vector of
    length 0 has no direction.  The angle is ``pi i / 2**31``, i the lower half of the word.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.learners = range(0)

    def draw(self, step: int) -> tuple[Floats32, Floats32, Floats32]:
        """Return ``(uniform, angle, workspace)`` from this step on, ``(ahead, t, R, W)`` each.

        The caller may overwrite all three; they are valid until the next call.
        """
        words = self.streams.block(step)
        if self.streams.learners is not self.learners:
            self._lay_out_planes()
        angle, uniform = self.pair
        # Halves are taken as signed numbers, which NumPy converts in 0.07 ns, unsigned in 0.13 ns.
        # The first cast keeps the lower 32 bits of each word.
        np.copyto(self.whole[0], words, casting="unsafe")
        np.right_shift(words, UPPER, out=words)
        np.copyto(self.whole[1], words, casting="unsafe")
        np.copyto(self.pair, self.whole, casting="unsafe")
        np.add(uniform, np.float32(0.5), out=uniform)
        np.multiply(uniform, UNIT, out=uniform)
        np.multiply(angle, RADIANS, out=angle)
        return uniform, angle, self.third

    def _lay_out_planes(self) -> None:
        # float32 planes in the memory of the words, which are not needed once converted.
        self.learners = self.streams.learners
        out, spare = (part.reshape(-1) for part in (self.streams.out, self.streams.spare))
        planes = (2, *self.streams.out.shape)
        self.whole = spare.view(np.int32).reshape(planes)
        self.pair = out.view(np.float32).reshape(planes)
        self.third = spare.view(np.float32).reshape(planes)[0]


@final
class Normals:
    """Planned normal draws ``(t, R, d)``, computed in float32.

    ``z = sqrt(-2 log u) (cos, sin)(angle)``: one word gives a coordinate its normals at two steps,
    the cosine at the even and the sine at the odd one.  A draw has 24 significant bits and is at
    most 6.66 standard deviations.

    Where several steps are computed at once, draws are returned in ``dtype``, the precision of
    what they will be added to: one conversion for all of them.
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
        # Pairs of steps, an even one and an odd one, that are computed at once.
        self.pairs = steps_ahead(tile * R * d)
        self.streams = Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=d, ahead=self.pairs)
        self.uniforms = UniformPairs(self.streams)
        # A large step is computed alone, and its planes are returned as they are.
        self.values = np.empty((2, self.pairs * tile * R * d if self.pairs > 1 else 0), dtype)
        self.address: tuple[int, float, range] | None = None
        self.steps: list[list[Floats]] = []

    def draw(self, step: int, scale: float) -> Floats:
        """Return normals of standard deviation ``scale``, ``(t, R, d)``.

        They are not to be written to, and valid until the next call.
        """
        pair, odd = divmod(step, 2)
        block, place = divmod(pair, self.pairs)
        # A tile takes its steps in order, so most of them are in the block computed last.
        if self.address != (block, scale, self.streams.learners):
            self._fill(block * self.pairs, scale)
            self.address = (block, scale, self.streams.learners)
        return self.steps[odd][place]

    def _fill(self, pair: int, scale: float) -> None:
        radius, sine, cosine = self.uniforms.draw(pair)
        np.log(radius, out=radius)
        # The scale goes into the radius: one pass less than scaling both results.
        np.multiply(radius, np.float32(-2.0 * scale * scale), out=radius)
        np.sqrt(radius, out=radius)
        np.cos(sine, out=cosine)
        np.sin(sine, out=sine)
        # One array a step: as neighbouring coordinates both would be written with a stride, which
        # takes three times as long (0.15 against 0.05 ns a number).
        np.multiply(cosine, radius, out=cosine)
        np.multiply(sine, radius, out=sine)
        waves: Iterable[Floats] = (cosine, sine)
        if self.pairs > 1:
            waves = self.values[:, : sine.size].reshape(2, *sine.shape)
            waves[0, ...], waves[1, ...] = cosine, sine
        # Views made once: slicing at each step would cost as much as a small step itself.
        self.steps = [[*wave] for wave in waves]


def draw_normals(seed: int, purpose: Purpose, R: int, d: int, learners: range) -> Floats:
    """Return standard normals at step 0, ``(len(learners), R, d)`` in float64.

    For set-up, not for loops (``Normals``): each call allocates its workspace.

    >>> draw_normals(1, Purpose.START, 2, 3, range(1)).shape
    (1, 2, 3)
    """
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=len(learners), d=d)
    normals.streams.select(learners)
    return normals.draw(0, 1.0).astype(np.float64)
