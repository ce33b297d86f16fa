"""Normal draws from addressed words, in float32: Box and Muller's transform on planes of a tile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.oracles.streams import Purpose, Streams, steps_ahead

Floats32 = NDArray[np.float32]
UPPER = np.uint64(33)
UNIT = np.nextafter(np.float32(2.0**-31), np.float32(0))
RADIANS = np.float32(np.pi * 2.0**-31)


@final
class Polar:
    """A uniform and an angle from the halves of each word, in float32, ``(ahead, t, R, W)`` each.

    The uniform is ``(k + 1/2) / 2**31``, k the upper 31 bits, to float32: fine near 0, where
    logarithms need it, and spaced 2**-24 near 1, which it cannot reach (``UNIT`` is the number
    below 2**-31): a vector of length 0 has no direction.  The angle is ``pi i / 2**31``, i the
    lower half as a signed number: NumPy converts signed numbers several times faster.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.learners = range(0)

    def stand(self) -> None:
        """Lay float32 planes over the memory of the words, which a draw uses up."""
        self.learners = self.streams.learners
        out, spare = (part.reshape(-1) for part in (self.streams.out, self.streams.spare))
        planes = (2, *self.streams.out.shape)
        self.whole = spare.view(np.int32).reshape(planes)
        self.pair = out.view(np.float32).reshape(planes)
        self.third = spare.view(np.float32).reshape(planes)[0]

    def draw(self, step: int) -> tuple[Floats32, Floats32, Floats32]:
        """``(uniform, angle, workspace)`` of the steps from this one on, to be overwritten."""
        words = self.streams.block(step)
        if self.streams.learners is not self.learners:
            self.stand()
        angle, uniform = self.pair
        np.copyto(self.whole[0], words, casting="unsafe")
        np.right_shift(words, UPPER, out=words)
        np.copyto(self.whole[1], words, casting="unsafe")
        np.copyto(self.pair, self.whole, casting="unsafe")
        np.add(uniform, np.float32(0.5), out=uniform)
        np.multiply(uniform, UNIT, out=uniform)
        np.multiply(angle, RADIANS, out=angle)
        return uniform, angle, self.third


@final
class Normals:
    """Normal draws by Box and Muller's transform, computed in float32: ``(t, R, d)``.

    ``z = sqrt(-2 log u) (cos, sin)(angle)``: one word gives a coordinate at two steps, the cosine
    at the even and the sine at the odd one, so that every array is contiguous.  The scale is folded
    into the radius.  Resolution: a float32 value, largest possible ``|z| = 6.66``.

    Where many steps are made at once, draws are handed out in ``dtype``, the precision of what they
    will be added to: one conversion for all of them.
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
        self.pairs = steps_ahead(tile * R * d)
        self.streams = Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=d, ahead=self.pairs)
        self.polar = Polar(self.streams)
        self.values = np.empty((2, self.pairs * tile * R * d if self.pairs > 1 else 0), dtype)
        self.known: tuple[int, float, range] | None = None
        self.steps: list[list[Floats]] = []

    def draw(self, step: int, scale: float) -> Floats:
        """Normals of mean 0 and standard deviation ``scale``, not to be written to."""
        pair, odd = divmod(step, 2)
        block, place = divmod(pair, self.pairs)
        if self.known != (block, scale, self.streams.learners):
            self.make(block * self.pairs, scale)
            self.known = (block, scale, self.streams.learners)
        return self.steps[odd][place]

    def make(self, pair: int, scale: float) -> None:
        """The normals of ``pairs`` pairs of steps from this one on."""
        radius, sine, cosine = self.polar.draw(pair)
        np.log(radius, out=radius)
        np.multiply(radius, np.float32(-2.0 * scale * scale), out=radius)
        np.sqrt(radius, out=radius)
        np.cos(sine, out=cosine)
        np.sin(sine, out=sine)
        np.multiply(cosine, radius, out=cosine)
        np.multiply(sine, radius, out=sine)
        waves: Iterable[Floats] = (cosine, sine)
        if self.pairs > 1:
            waves = self.values[:, : sine.size].reshape(2, *sine.shape)
            waves[0, ...], waves[1, ...] = cosine, sine
        self.steps = [[*wave] for wave in waves]


def normals_once(seed: int, purpose: Purpose, R: int, d: int, learners: range) -> Floats:
    """Standard normals at step 0, ``(len(learners), R, d)`` in float64: for set-up, not for loops.

    >>> normals_once(1, Purpose.START, 2, 3, range(1)).shape
    (1, 2, 3)
    """
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=len(learners), d=d)
    normals.streams.select(learners)
    return normals.draw(0, 1.0).astype(np.float64)
