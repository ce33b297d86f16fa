"""Streams of random 64-bit words, addressed by (seed, purpose, learner, step, place).

A word is a function of its address, never of which rank computes it or when.  So there is no state
of a generator to store, any rank can compute any word, and runs that differ in K, mu, gamma or P
share their noise.

Each (seed, purpose, learner) owns a stream ``word(c) = mix(key + c g)`` of the counter
``c = 2^32 step + place``.  This is SplitMix64 with Stafford's thirteenth mixer; the key and the odd
increment ``g`` are hashes of the address.  The places of a step count through the words of a
learner, replica after replica, so that the first replicas' words do not depend on how many replicas
there are.  All arithmetic is modulo 2**64 and in place on whole tiles.

Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"; what was
tested of these words is in experiments/noise.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from math import prod
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError

Words = NDArray[np.uint64]
Unsigned = np.unsignedinteger[Any]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio, made odd: the increment of plain SplitMix64."""
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
PLACES: Final = 2**32
"""The counters of a step, and the number of steps: more have no address."""
STORED_KEYS = 2**17
"""Most keys stored; they are stored because every round selects the same tiles again."""


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
    BOOTSTRAP = 8


def mix_words(words: Words, scratch: Words, out: Words | None = None) -> None:
    """Scramble 64-bit words, a bijection; ``scratch`` is workspace of the same shape.

    They are written to ``out``, by default in place.  Two rounds of a shift, an exclusive or and a
    product, then a last shift, so that each bit of the input changes each bit of the output with
    probability near 1/2.
    """
    mixed = words if out is None else out
    # Not strict: the third shift, below, is followed by no product.
    for shift, multiplier in zip(SHIFTS, MULTIPLIERS, strict=False):
        np.right_shift(words, shift, out=scratch)
        np.bitwise_xor(words, scratch, out=mixed)
        np.multiply(mixed, multiplier, out=mixed)
        words = mixed
    np.right_shift(words, SHIFTS[2], out=scratch)
    np.bitwise_xor(words, scratch, out=mixed)


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


def split_words(words: Words, part: type[Unsigned]) -> NDArray[Unsigned]:
    """Return the parts of words, the lowest bits first: ``(..., W)`` to ``(..., W k)``.

    The parts lie in the memory of the words, which must be contiguous.  Where a machine keeps the
    highest bits first the parts of each word are reversed there, so that its numbers are those of
    any other machine.

    >>> split_words(np.array([0x4444_3333_2222_1111], np.uint64), np.uint16).tolist()
    [4369, 8738, 13107, 17476]
    """
    order = words.dtype.byteorder
    parts = words.view(np.dtype(part).newbyteorder(order))
    if order == ">" or (order == "=" and sys.byteorder == "big"):
        grouped = parts.reshape(*words.shape, -1)
        grouped[...] = grouped[..., ::-1].copy()
    return parts


@final
class Streams:
    """The streams of a tile of learners: ``R W`` words a step, ``ahead`` steps at a time.

    The word in column i of replica r is at the place ``r W + i`` of its step.  All arrays are
    allocated once, for up to ``tile`` learners with ``R`` replicas each.  Raises KavgError if the
    words of one learner and step are more than ``PLACES``.

    >>> streams = Streams(seed=1, purpose=Purpose.NOISE, R=2, tile=3, W=4)
    >>> streams.select(range(5, 7))
    >>> streams.words(step=10).shape
    (2, 2, 4)
    """

    def __init__(
        self, *, seed: int, purpose: Purpose, R: int, tile: int, W: int, ahead: int = 1
    ) -> None:
        if R * W > PLACES:
            raise KavgError(
                "the random words of one learner and step must be at most 2^32, got "
                f"{R * W}; use fewer replicas or coordinates"
            )
        self.address = hash_parts(seed, int(purpose))
        self.tiles: dict[range, tuple[Words, Words]] = {}
        self.R, self.W, self.ahead = R, W, ahead
        # One-dimensional, so that a smaller last tile has contiguous arrays too.
        self.buffers = np.empty((4, ahead * tile * R * W), np.uint64)
        steps = np.arange(ahead, dtype=np.uint64) << np.uint64(32)
        places = np.arange(R * W, dtype=np.uint64).reshape(R, W)
        self.counters = steps[:, None, None, None] | places
        self.learners = range(0)
        self.select(range(tile))

    def select(self, learners: range) -> None:
        """Select the learners (at most ``tile``) that later calls draw for."""
        if learners == self.learners:
            return
        self.learners = learners
        if learners not in self.tiles:
            if (len(self.tiles) + 1) * len(learners) > STORED_KEYS:
                # A run uses the tiles in turn, so dropping the oldest alone would save nothing.
                self.tiles.clear()
            self.tiles[learners] = self.hash(learners)
        self.keys, self.increments = self.tiles[learners]
        shape = (self.ahead, len(learners), self.R, self.W)
        self.out, self.spare, self.sums, self.stride = (
            part[: prod(shape)].reshape(shape) for part in self.buffers
        )
        self.following, self.has_stride = -1, False

    def hash(self, learners: range) -> tuple[Words, Words]:
        """Return keys and increments of these learners, ``(t, 1, 1)`` each.

        Both are hashes of (seed, purpose, learner), so they do not depend on the rank.
        """
        j = np.arange(learners.start, learners.stop)[:, None, None]
        key, odd = hash_parts(j, np.arange(2)[:, None, None, None], after=self.address)
        return key, odd_increments(odd)

    def block(self, step: int) -> Words:
        """Return the words of ``ahead`` steps from this one on, ``(ahead, t, R, W)``.

        The caller may overwrite them, and the array ``spare`` of the same shape.  Raises KavgError
        if the step has no address.
        """
        if not 0 <= step < PLACES:
            raise KavgError(
                f"random numbers have addresses for 2^32 local steps, got step {step}; "
                "use fewer rounds or a smaller K"
            )
        if step == self.following:
            self._advance()
        else:
            first = self.keys + self.increments * np.uint64(step << 32)
            np.multiply(self.increments, self.counters, out=self.sums)
            np.add(self.sums, first, out=self.sums)
        self.following = step + self.ahead
        mix_words(self.sums, self.spare, self.out)
        return self.out

    def _advance(self) -> None:
        """Go from one block's ``key + c g`` to the next one's, which is as much more for all."""
        # Written out, as np.add would allocate a buffer to broadcast it, and take twice as long.
        if not self.has_stride:
            np.copyto(self.stride, self.increments * np.uint64(self.ahead << 32))
            self.has_stride = True
        np.add(self.sums, self.stride, out=self.sums)

    def words(self, step: int) -> Words:
        """Return the words of a step, ``(t, R, W)``, valid until the next call."""
        return np.asarray(self.block(step)[0])
