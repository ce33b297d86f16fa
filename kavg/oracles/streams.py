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

Words = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
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
