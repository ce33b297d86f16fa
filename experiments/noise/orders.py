"""Raw words in the orders in which runs use them, for a battery to read.

``python experiments/noise/orders.py`` prints a checksum of the beginning of each order.  A battery
takes two hours and reads nothing but these numbers, so its table stands while they stay the same.
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

Numbers = Iterator[NDArray[Any]]


def streams(
    *, seed: int = 1, purpose: Purpose = Purpose.NOISE, R: int = 1, tile: int = 1, W: int = 1
) -> Streams:
    """Streams, with the settings that an order does not care for."""
    return Streams(seed=seed, purpose=purpose, R=R, tile=tile, W=W)


def by_step(streams: Streams) -> Iterator[Words]:
    """All words of step 0, then of step 1, and so on: learners, in each replicas, in each words."""
    return (streams.words(step) for step in count())


def one_stream() -> Numbers:
    """The words of one stream in their order."""
    return by_step(streams(W=BLOCK))


def upper_halves() -> Numbers:
    """The upper 32 bits of one stream."""
    return ((words >> np.uint64(32)).astype(np.uint32) for words in one_stream())


def lower_halves() -> Numbers:
    """The lower 32 bits of one stream."""
    return (words.astype(np.uint32) for words in one_stream())


def reversed_bits() -> Numbers:
    """One stream, each word with its bits from the last to the first."""
    flipped = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)
    return (flipped[words.byteswap().view(np.uint8)] for words in one_stream())


def learners_in_turn() -> Numbers:
    """A word of each of 16,384 learners at step 0, then at step 1, and so on."""
    return by_step(streams(tile=BLOCK))


def replicas_in_turn() -> Numbers:
    """The same with 16,384 replicas of one learner."""
    return by_step(streams(R=BLOCK))


def new_learners() -> Numbers:
    """One word, that of step 1000, of learners 0, 1, 2, ... without end: the hash of addresses."""
    planned = streams(tile=BLOCK)
    for block in count():
        planned.select(range(block * BLOCK, (block + 1) * BLOCK))
        yield planned.words(1000)


def seeds_and_purposes() -> Numbers:
    """Words of 42 seeds and 6 purposes in turn."""
    planned = [streams(seed=seed, purpose=p, W=64) for seed in range(42) for p in Purpose]
    for step in count():
        yield np.stack([each.words(step).ravel() for each in planned], axis=1)


def one_coordinate() -> Numbers:
    """The first of 1024 words of each step: every 1024th of a stream."""
    for words in counters(stride=1024):
        mix_words(words, np.empty_like(words))
        yield words


def without_the_mixer() -> Iterator[Words]:
    """The counter alone, ``key + c g``: what the battery should fail."""
    return counters(stride=1)


def counters(stride: int) -> Iterator[Words]:
    """Every so manyth ``key + c g`` of one stream, not mixed."""
    planned = streams()
    key, increment = planned.keys.ravel(), planned.increments.ravel()
    for block in count():
        steps = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=np.uint64)
        yield key + increment * np.uint64(stride) * steps


def numpy_pcg64() -> Numbers:
    """A generator of good name, for comparison."""
    generator = np.random.PCG64(1)
    return (generator.random_raw(BLOCK) for _ in count())


ORDERS: dict[str, Callable[[], Numbers]] = {
    order.__name__: order
    for order in (
        one_stream, upper_halves, lower_halves, reversed_bits, learners_in_turn, replicas_in_turn,
        new_learners, seeds_and_purposes, one_coordinate, numpy_pcg64, without_the_mixer,
    )
}  # fmt: skip
YARDSTICKS = {"numpy_pcg64", "without_the_mixer"}
BEGINNING = 2**24
"""Bytes of each order that are summed up, at least."""


def checksum(order: Callable[[], Numbers]) -> str:
    """SHA-256 of the first bytes of an order, low bytes first, in whole blocks."""
    sha, done = hashlib.sha256(), 0
    for block in order():
        sha.update(block.astype(block.dtype.newbyteorder("<")).tobytes())
        done += block.nbytes
        if done >= BEGINNING:
            break
    return sha.hexdigest()


if __name__ == "__main__":
    for name, order in ORDERS.items():
        print(f"{name:20}  {checksum(order)[:32]}")
