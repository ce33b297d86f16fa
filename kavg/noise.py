"""Random draws addressed by (seed, purpose, replica, learner, step).

A draw is a function of its address, never of who computes it or when, so nothing of a generator is
stored, any rank can make any draw, and runs that differ in K, mu, gamma or P share their noise.

Each (seed, purpose, replica, learner) owns a stream of 64-bit words, ``word(c) = mix(key + c g)``
for the counter ``c``: SplitMix64 with Stafford's thirteenth mixer, one odd increment ``g`` and one
``key`` a stream (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
Step ``s`` of a stream that uses ``W`` words a step owns the counters ``s W, ..., s W + W - 1``.
All arithmetic is modulo 2**64, in place on whole tiles; where a tile is small, several steps are
made at once, so that NumPy's calls do not cost more than the numbers.
"""

from __future__ import annotations

from enum import IntEnum
from math import prod
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats

Words = NDArray[np.uint64]
Floats32 = NDArray[np.float32]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
UPPER = np.uint64(33)
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
UNIT = np.nextafter(np.float32(2.0**-31), np.float32(0))
RADIANS = np.float32(np.pi * 2.0**-31)
REMEMBERED = 2**17
"""Keys that are kept, for a run comes back to the same tiles in each round."""
BLOCK = 4096
"""Words that are worth a call: where a step needs fewer, later steps are made with it."""


class Purpose(IntEnum):
    """What draws are for; streams of different purposes never meet."""

    NOISE = 1
    BATCH = 2
    SHUFFLE = 3
    START = 4
    SHIFT = 5
    PARTITION = 6


def mix(words: Words, scratch: Words) -> None:
    """Scramble 64-bit words in place: a bijection in which each input bit sways each output bit."""
    for shift, multiplier in zip(SHIFTS, MULTIPLIERS, strict=False):
        np.right_shift(words, shift, out=scratch)
        np.bitwise_xor(words, scratch, out=words)
        np.multiply(words, multiplier, out=words)
    np.right_shift(words, SHIFTS[2], out=scratch)
    np.bitwise_xor(words, scratch, out=words)


def hashed(*parts: int | NDArray[np.integer], after: Words | None = None) -> Words:
    """One well-mixed word for a tuple of whole numbers, broadcast over arrays.

    ``after`` is the hash of parts that come first.

    >>> hashed(1, 2) == hashed(2, 1), hashed(1, 2) == hashed(2, after=hashed(1))
    (np.False_, np.True_)
    """
    word = np.zeros((), np.uint64) if after is None else after
    for part in parts:
        with np.errstate(over="ignore"):
            word = np.atleast_1d((word + np.asarray(part).astype(np.uint64)) * GOLDEN + GOLDEN)
        mix(word, np.empty_like(word))
    return word if any(np.ndim(part) for part in parts) else word.reshape(())


def increments(words: Words) -> Words:
    """An odd increment a stream, with enough alternating bits to move every bit of the counter."""
    odd = words | np.uint64(1)
    weak = np.bitwise_count(odd ^ (odd >> np.uint64(1))) < 24
    return np.where(weak, odd ^ np.uint64(0xAAAAAAAAAAAAAAAA), odd)


def steps_ahead(words: int) -> int:
    """How many steps of so many words to make at once.

    >>> steps_ahead(80), steps_ahead(16_384)
    (51, 1)
    """
    return max(1, min(64, BLOCK // max(1, words)))


@final
class Streams:
    """The streams of a tile of learners, planned once: ``W`` words a step, ``ahead`` steps a time.

    >>> streams = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4)
    >>> streams.select(range(5, 7))
    >>> streams.words(step=10).shape
    (2, 2, 4)
    """

    def __init__(
        self, *, seed: int, purpose: Purpose, R: int, tile: int, W: int, ahead: int = 1
    ) -> None:
        self.address = hashed(seed, int(purpose))
        self.replicas = np.arange(R)
        self.tiles: dict[range, tuple[Words, Words]] = {}
        self.W, self.ahead = W, ahead
        self.buffers = np.empty((3, ahead * tile * R * W), np.uint64)
        self.learners = range(0)
        self.select(range(tile))

    def select(self, learners: range) -> None:
        """Stand at these learners; their keys and increments are hashes of their addresses."""
        if learners == self.learners:
            return
        self.learners = learners
        if learners not in self.tiles:
            if len(self.tiles) * len(learners) * len(self.replicas) > REMEMBERED:
                self.tiles.clear()
            self.tiles[learners] = self.hash(learners)
        self.keys, self.increments = self.tiles[learners]
        shape = (self.ahead, len(learners), len(self.replicas), self.W)
        self.out, self.spare, offset = (part[: prod(shape)].reshape(shape) for part in self.buffers)
        counters = np.arange(self.ahead * self.W, dtype=np.uint64).reshape(self.ahead, 1, 1, self.W)
        self.offset = np.multiply(self.increments, counters, out=offset)

    def hash(self, learners: range) -> tuple[Words, Words]:
        """Keys and increments of these learners, ``(t, R, 1)`` each."""
        j = np.arange(learners.start, learners.stop)[:, None]
        key, odd = hashed(self.replicas, j, np.arange(2)[:, None, None], after=self.address)
        return key[..., None], increments(odd)[..., None]

    def block(self, step: int) -> Words:
        """``(ahead, t, R, W)`` words from this step on, to be overwritten, like ``spare``."""
        first = np.uint64(step * self.W % 2**64)
        np.add(self.offset, self.keys + self.increments * first, out=self.out)
        mix(self.out, self.spare)
        return self.out

    def words(self, step: int) -> Words:
        """The words of this step, ``(t, R, W)``, valid until the next call."""
        return np.asarray(self.block(step)[0])


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
    """

    def __init__(self, *, seed: int, purpose: Purpose, R: int, tile: int, d: int) -> None:
        self.pairs = steps_ahead(tile * R * d)
        self.streams = Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=d, ahead=self.pairs)
        self.polar = Polar(self.streams)
        self.known: tuple[int, float, range] | None = None

    def draw(self, step: int, scale: float) -> Floats32:
        """Normals of mean 0 and standard deviation ``scale``, not to be written to."""
        pair, odd = divmod(step, 2)
        block, place = divmod(pair, self.pairs)
        if self.known != (block, scale, self.streams.learners):
            self.make(block * self.pairs, scale)
            self.known = (block, scale, self.streams.learners)
        return np.asarray(self.waves[odd][place])

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
        self.waves = (cosine, sine)


def normals_once(seed: int, purpose: Purpose, R: int, d: int, learners: range) -> Floats:
    """Standard normals at step 0, ``(len(learners), R, d)`` in float64: for set-up, not for loops.

    >>> normals_once(1, Purpose.START, 2, 3, range(1)).shape
    (1, 2, 3)
    """
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=len(learners), d=d)
    normals.streams.select(learners)
    return normals.draw(0, 1.0).astype(np.float64)
