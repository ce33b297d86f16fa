"""Raw words in the orders in which runs use them, for a battery to read.

``python experiments/noise/orders.py`` prints a checksum of the beginning of each order.  A battery
takes hours and reads nothing but these numbers, so its table stands while they stay the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kavg.oracles.streams import Purpose, Streams, Words, mix_words

BLOCK = 1 << 14
"""Words made at a time."""
STEP = np.uint64(1 << 32)
"""What a step adds to the counter."""

Numbers = Iterator[NDArray[Any]]


def streams(
    *, seed: int = 1, purpose: Purpose = Purpose.NOISE, tile: int = 1, W: int = 1
) -> Streams:
    """Streams, with the settings that an order does not care for."""
    return Streams(seed=seed, purpose=purpose, R=1, tile=tile, W=W)


def by_step(streams: Streams) -> Iterator[Words]:
    """All words of step 0, then of step 1, and so on: learners, and in each the places."""
    return (streams.words(step) for step in count())


def counted(counters: Iterator[Words], low_half: int | None = None) -> Iterator[Words]:
    """``key + c g`` of learner 0, not mixed; ``low_half`` is put in place of that of g."""
    planned = streams()
    key, increment = planned.keys.ravel(), planned.increments.ravel()
    if low_half is not None:
        increment = increment & ~np.uint64(STEP - 1) | np.uint64(low_half)
    return (key + increment * counter for counter in counters)


def mixed(words: Iterator[Words]) -> Iterator[Words]:
    """Words from ``key + c g``."""
    for word in words:
        mix_words(word, np.empty_like(word))
        yield word


def blocks() -> Iterator[Words]:
    """0, 1, 2, ..., some at a time."""
    first = np.arange(BLOCK, dtype=np.uint64)
    return (first + np.uint64(block * BLOCK) for block in count())


# --- orders of words


def places_in_turn() -> Numbers:
    """The places of step 0: the coordinates of a replica, replica after replica."""
    return mixed(counted(blocks()))


def steps_in_turn() -> Numbers:
    """Place 0 of step 0, 1, 2, ...: one coordinate as a run goes on, jumps of 2^32."""
    return mixed(counted(STEP * block for block in blocks()))


def small_steps() -> Numbers:
    """Five places of each step: all words of a small run, in their order."""
    return mixed(
        counted(STEP * (block // np.uint64(5)) + block % np.uint64(5) for block in blocks())
    )


def distant_steps() -> Numbers:
    """Place 0 of each step, 256 steps 2^24 apart in turn: counters that differ in few top bits."""
    shuffled = (
        block // np.uint64(256) + (block % np.uint64(256) << np.uint64(24)) for block in blocks()
    )
    return mixed(counted(STEP * steps for steps in shuffled))


def weak_increment() -> Numbers:
    """Place 0 of each step, were the low half of g the weakest of all, 1."""
    return mixed(counted((STEP * block for block in blocks()), low_half=1))


def learners_in_turn() -> Numbers:
    """A word of each of 16,384 learners at step 0, then at step 1, and so on."""
    return by_step(streams(tile=BLOCK))


def new_learners() -> Numbers:
    """One word, that of step 1000, of learners 0, 1, 2, ... without end: the hash of addresses."""
    planned = streams(tile=BLOCK)
    for block in count():
        planned.select(range(block * BLOCK, (block + 1) * BLOCK))
        yield planned.words(1000)


def seeds_and_purposes() -> Numbers:
    """Words of 42 seeds and six purposes in turn."""
    purposes = list(Purpose)[:6]
    planned = [streams(seed=seed, purpose=p, W=64) for seed in range(42) for p in purposes]
    for step in count():
        yield np.stack([each.words(step).ravel() for each in planned], axis=1)


# --- parts of words


def upper_halves() -> Numbers:
    """The upper 32 bits of the places of step 0."""
    return ((words >> np.uint64(32)).astype(np.uint32) for words in places_in_turn())


def lower_halves() -> Numbers:
    """The lower 32 bits of place 0 of each step: the lanes of the one pair of d = 1 and 2."""
    return (words.astype(np.uint32) for words in steps_in_turn())


def lane(number: int, words: Numbers) -> Numbers:
    """One of the four lanes of 16 bits of each word."""
    return ((word >> np.uint64(16 * number)).astype(np.uint16) for word in words)


def lowest_lane() -> Numbers:
    """The lowest lane of place 0 of each step: one table entry of one coordinate."""
    return lane(0, steps_in_turn())


def highest_lane() -> Numbers:
    """The highest lane of the places of step 0: every fourth table entry of a vector."""
    return lane(3, places_in_turn())


def reversed_bits() -> Numbers:
    """Place 0 of each step, each word with its bits from the last to the first."""
    flipped = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)
    for words in steps_in_turn():
        octets = words.astype(">u8").view(np.uint8)
        yield flipped[octets]


# --- yardsticks


def without_the_mixer() -> Numbers:
    """The counter alone, ``key + c g``: what the battery should fail."""
    return counted(blocks())


def numpy_pcg64() -> Numbers:
    """A generator of good name, for comparison."""
    generator = np.random.PCG64(1)
    return (generator.random_raw(BLOCK) for _ in count())


ORDERS: dict[str, Callable[[], Numbers]] = {
    order.__name__: order
    for order in (
        steps_in_turn, places_in_turn, small_steps, lower_halves, lowest_lane, learners_in_turn,
        new_learners, seeds_and_purposes, distant_steps, upper_halves, highest_lane, reversed_bits,
        weak_increment, numpy_pcg64, without_the_mixer,
    )
}  # fmt: skip
"""Lanes in the order of the normals are the words, low bytes first: ``places_in_turn``."""
YARDSTICKS = {"numpy_pcg64", "without_the_mixer", "weak_increment"}
BEGINNING = 2**24
"""Bytes of each order that are summed up, at least."""


def checksum(order: Callable[[], Numbers]) -> str:
    """SHA-256 of the first bytes of an order, low bytes first, in whole blocks."""
    sha, done = hashlib.sha256(), 0
    for block in order():
        sha.update(little_endian(block))
        done += block.nbytes
        if done >= BEGINNING:
            break
    return sha.hexdigest()


def little_endian(block: NDArray[Any]) -> bytes:
    """The bytes of numbers, low ones first, as the lanes of a word are read."""
    return block.astype(block.dtype.newbyteorder("<")).tobytes()


if __name__ == "__main__":
    for name, order in ORDERS.items():
        print(f"{name:20}  {checksum(order)[:32]}")
