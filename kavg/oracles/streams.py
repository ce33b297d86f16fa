"""Streams of random 64-bit words, addressed by (seed, purpose, replica, learner, step).

A word is a function of its address, never of which rank computes it or when.  So there is no state
of a generator to store, any rank can compute any word, and runs that differ in K, mu, gamma or P
share their noise.

Each (seed, purpose, replica, learner) owns a stream ``word(c) = mix(key + c g)`` of the counter
``c``.  This is SplitMix64 with Stafford's thirteenth mixer; the key and the odd increment ``g`` are
hashes of the address.  Step ``s`` of a stream that uses ``W`` words a step owns the counters
``s W, ..., s W + W - 1``.  All arithmetic is modulo 2**64 and in place on whole tiles.

Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"; what was
tested of these words is in experiments/noise.
"""

from __future__ import annotations

from enum import IntEnum
from math import prod
from typing import final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, made odd: the increment of plain SplitMix64."""
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
STORED_KEYS = 2**17
"""Most keys stored; they are stored because every round selects the same tiles again."""
BLOCK = 4096
"""Words below which a step is computed together with later ones."""


class Purpose(IntEnum):
    """The purpose of a stream, a part of its address.

    Streams of different purposes are unrelated, so that for instance the same seed can draw the
    start and the noise.
    """

    NOISE = 1
    BATCH = 2
    SHUFFLE = 3
    START = 4
    SHIFT = 5
    PARTITION = 6
    ROTATION = 7


def mix_words(words: Words, scratch: Words) -> None:
    """Scramble 64-bit words in place, a bijection; ``scratch`` is workspace of the same shape.

    Two rounds of a shift, an exclusive or and a product, then a last shift, so that each bit of
    the input changes each bit of the output with probability near 1/2.
    """
    # Not strict: the third shift, below, is followed by no product.
    for shift, multiplier in zip(SHIFTS, MULTIPLIERS, strict=False):
        np.right_shift(words, shift, out=scratch)
        np.bitwise_xor(words, scratch, out=words)
        np.multiply(words, multiplier, out=words)
    np.right_shift(words, SHIFTS[2], out=scratch)
    np.bitwise_xor(words, scratch, out=words)


def hash_parts(*parts: int | NDArray[np.integer], after: Words | None = None) -> Words:
    """Hash a tuple of whole numbers to one word, broadcast over arrays.

    ``after`` is the hash of parts that come before these, so that a common beginning is hashed
    only once.

    >>> hash_parts(1, 2) == hash_parts(2, 1), hash_parts(1, 2) == hash_parts(2, after=hash_parts(1))
    (np.False_, np.True_)
    """
    word = np.zeros((), np.uint64) if after is None else after
    for part in parts:
        with np.errstate(over="ignore"):
            # NumPy warns of an overflow for single numbers only; wrapping is meant.
            # An array, never a NumPy scalar, as mix_words works in place.
            word = np.atleast_1d((word + np.asarray(part).astype(np.uint64)) * GOLDEN + GOLDEN)
        mix_words(word, np.empty_like(word))
    return word if any(np.ndim(part) for part in parts) else word.reshape(())


def odd_increments(words: Words) -> Words:
    """Return an odd increment for each word, with at least 24 changes between neighbouring bits.

    Increments with few changes move too few bits of the counter at a time; they are improved by
    an exclusive or with alternating bits, as Steele, Lea and Flood do.
    """
    odd = words | np.uint64(1)
    weak = np.bitwise_count(odd ^ (odd >> np.uint64(1))) < 24
    return np.where(weak, odd ^ np.uint64(0xAAAAAAAAAAAAAAAA), odd)


def steps_ahead(words: int) -> int:
    """Return the number of steps to compute at once, given the words of one step.

    >>> steps_ahead(80), steps_ahead(16_384)
    (51, 1)
    """
    # A NumPy call costs some 0.4 microseconds, so a step of 80 numbers alone is nothing but calls.
    return max(1, min(64, BLOCK // max(1, words)))


@final
class Streams:
    """The streams of a tile of learners: ``W`` words a step, ``ahead`` steps at a time.

    All arrays are allocated once, for up to ``tile`` learners with ``R`` replicas each.

    >>> streams = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4)
    >>> streams.select(range(5, 7))
    >>> streams.words(step=10).shape
    (2, 2, 4)
    """

    def __init__(
        self, *, seed: int, purpose: Purpose, R: int, tile: int, W: int, ahead: int = 1
    ) -> None:
        self.address = hash_parts(seed, int(purpose))
        self.replicas = np.arange(R)
        self.tiles: dict[range, tuple[Words, Words]] = {}
        self.W, self.ahead = W, ahead
        # One-dimensional, so that a smaller last tile has contiguous arrays too.
        self.buffers = np.empty((3, ahead * tile * R * W), np.uint64)
        self.learners = range(0)
        self.select(range(tile))

    def select(self, learners: range) -> None:
        """Select the learners (at most ``tile``) that later calls draw for."""
        if learners == self.learners:
            return
        self.learners = learners
        if learners not in self.tiles:
            if len(self.tiles) * len(learners) * len(self.replicas) > STORED_KEYS:
                # A run uses the tiles in turn, so dropping the oldest alone would save nothing.
                self.tiles.clear()
            self.tiles[learners] = self.hash(learners)
        self.keys, self.increments = self.tiles[learners]
        shape = (self.ahead, len(learners), len(self.replicas), self.W)
        self.out, self.spare, offset = (part[: prod(shape)].reshape(shape) for part in self.buffers)
        # These products are the same at every step, so that a step only adds its own key to them.
        counters = np.arange(self.ahead * self.W, dtype=np.uint64).reshape(self.ahead, 1, 1, self.W)
        self.offset = np.multiply(self.increments, counters, out=offset)

    def hash(self, learners: range) -> tuple[Words, Words]:
        """Return keys and increments of these learners, ``(t, R, 1)`` each.

        Both are hashes of (seed, purpose, replica, learner), so they do not depend on the rank.
        """
        j = np.arange(learners.start, learners.stop)[:, None]
        key, odd = hash_parts(self.replicas, j, np.arange(2)[:, None, None], after=self.address)
        return key[..., None], odd_increments(odd)[..., None]

    def block(self, step: int) -> Words:
        """Return the words of ``ahead`` steps from this one on, ``(ahead, t, R, W)``.

        The caller may overwrite them, and the array ``spare`` of the same shape.
        """
        # Reduced as a Python integer: np.uint64 raises OverflowError instead of wrapping.
        first = np.uint64(step * self.W % 2**64)
        np.add(self.offset, self.keys + self.increments * first, out=self.out)
        mix_words(self.out, self.spare)
        return self.out

    def words(self, step: int) -> Words:
        """Return the words of a step, ``(t, R, W)``, valid until the next call."""
        return np.asarray(self.block(step)[0])
