"""Random draws addressed by (seed, purpose, replica, learner, step).

A draw is a function of its address, never of who computes it or when, so nothing of a generator is
stored, any rank can make any draw, and runs that differ in K, mu, gamma or P share their noise.

Each (seed, purpose, replica, learner) owns a stream of 64-bit words, ``word(c) = mix(key + c g)``
for the counter ``c``: SplitMix64 with Stafford's thirteenth mixer, one odd increment ``g`` and one
``key`` a stream (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
Step ``s`` of a stream that uses ``W`` words a step owns the counters ``s W, ..., s W + W - 1``.
All arithmetic is modulo 2**64, in place on whole tiles.
"""

from __future__ import annotations

from enum import IntEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats

Words = NDArray[np.uint64]
Floats32 = NDArray[np.float32]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
UNIT = np.nextafter(np.float32(2.0**-32), np.float32(0))


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


def hashed(*parts: int | NDArray[np.integer]) -> Words:
    """One well-mixed word for a tuple of whole numbers, broadcast over arrays.

    >>> hashed(1, 2) == hashed(2, 1)
    np.False_
    """
    word = np.zeros((), np.uint64)
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


@final
class Streams:
    """The streams of a tile of learners, planned once: shape ``(tile, R)``, ``W`` words a step.

    >>> streams = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4)
    >>> streams.select(range(5, 7))
    >>> streams.words(step=10).shape
    (2, 2, 4)
    """

    def __init__(self, *, seed: int, purpose: Purpose, R: int, tile: int, W: int) -> None:
        self.address = (seed, int(purpose))
        self.replicas = np.arange(R)
        self.W = W
        self.buffer = np.empty((tile, R, W), np.uint64)
        self.scratch = np.empty((tile, R, W), np.uint64)
        self.offsets = np.empty((tile, R, W), np.uint64)
        self.learners = range(0)
        self.select(range(tile))

    def select(self, learners: range) -> None:
        """Stand at these learners; their keys and increments are hashes of their addresses."""
        if learners == self.learners:
            return
        self.learners, t = learners, len(learners)
        who = (self.replicas, np.arange(learners.start, learners.stop)[:, None])
        self.keys = hashed(*self.address, *who, 0)[..., None]
        self.increments = increments(hashed(*self.address, *who, 1))[..., None]
        self.out, self.spare, self.offset = self.buffer[:t], self.scratch[:t], self.offsets[:t]
        np.multiply(self.increments, np.arange(self.W, dtype=np.uint64), out=self.offset)

    def words(self, step: int) -> Words:
        """The words of this step, ``(t, R, W)``, valid until the next call."""
        first = np.uint64(step * self.W % 2**64)
        np.add(self.offset, self.keys + self.increments * first, out=self.out)
        mix(self.out, self.spare)
        return self.out


@final
class Uniforms:
    """Pairs of uniforms from the halves of each word, in float32, strictly inside (0, 1).

    ``first`` and ``second`` have shape ``(t, R, W)``; a value is ``(k + 1/2) / 2**32`` up to two
    roundings of float32: fine near 0, where logarithms need it, and spaced 2**-24 near 1.
    ``UNIT`` is the number below 2**-32, or the 128 largest k would give 1, whose logarithm is 0:
    a vector of length 0, which has no direction.
    """

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.pair = np.empty((2, *streams.buffer.shape), np.float32)

    def draw(self, step: int) -> tuple[Floats32, Floats32]:
        """The uniforms of this step; both arrays are the caller's to overwrite."""
        halves = self.streams.words(step).view(np.uint32)
        first, second = self.pair[:, : len(halves)]
        for uniform, half in ((first, halves[..., 0::2]), (second, halves[..., 1::2])):
            np.copyto(uniform, half, casting="unsafe")
            np.add(uniform, np.float32(0.5), out=uniform)
            np.multiply(uniform, UNIT, out=uniform)
        return first, second


@final
class Normals:
    """Normal draws by Box and Muller's transform, computed in float32: ``(t, R, d)``.

    ``z = sqrt(-2 log u1) (cos, sin)(2 pi u2)``: one word gives two coordinates.  The scale is
    folded into the radius.  Resolution: a float32 value, largest possible ``|z| = 6.77``.
    """

    def __init__(self, *, seed: int, purpose: Purpose, R: int, tile: int, d: int) -> None:
        W = (d + 1) // 2
        self.d = d
        self.streams = Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=W)
        self.uniforms = Uniforms(self.streams)
        self.values = np.empty((tile, R, 2 * W), np.float32)
        self.angles = np.empty((tile, R, W), np.float32)

    def draw(self, step: int, scale: float) -> Floats32:
        """Normals of mean 0 and standard deviation ``scale``, valid until the next call."""
        radius, turn = self.uniforms.draw(step)
        values, wave = self.values[: len(radius)], self.angles[: len(radius)]
        np.log(radius, out=radius)
        np.multiply(radius, np.float32(-2.0 * scale * scale), out=radius)
        np.sqrt(radius, out=radius)
        np.multiply(turn, np.float32(2.0 * np.pi), out=turn)
        np.cos(turn, out=wave)
        np.multiply(radius, wave, out=values[..., 0::2])
        np.sin(turn, out=wave)
        np.multiply(radius, wave, out=values[..., 1::2])
        return values[..., : self.d]


def normals_once(seed: int, purpose: Purpose, R: int, d: int, learners: range) -> Floats:
    """Standard normals at step 0, ``(len(learners), R, d)`` in float64: for set-up, not for loops.

    >>> normals_once(1, Purpose.START, 2, 3, range(1)).shape
    (1, 2, 3)
    """
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=len(learners), d=d)
    normals.streams.select(learners)
    return normals.draw(0, 1.0).astype(np.float64)
