"""An external battery on the raw words, in the orders in which runs use them.

The battery is dieharder (Debian's package of that name); it reads 32-bit numbers from a pipe, which
this script fills.  Run it with ``python experiments/noise/battery.py small|full [order ...]``: all
orders unless some are named; ``full`` is ``dieharder -a``, ``small`` leaves out what is slow and
what dieharder itself calls suspect.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from threading import Thread

import numpy as np

from kavg.analysis.holm import holm
from kavg.noise import Purpose, Streams, Words, mix

BITS = [("-d", "200", "-n", str(bits)) for bits in range(1, 9)]
LAGS = [("-d", "203", "-n", str(lag)) for lag in (0, 1, 3, 7, 15)]
OTHERS = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 204, 205, 206, 207, 208, 209]
BATTERIES = {"full": [("-a",)], "small": [*(("-d", str(test)) for test in OTHERS), *BITS, *LAGS]}
"""The calls of dieharder that make up a battery; they read on in one stream of numbers."""
FIELDS = ("test_name", "ntuple", "pvalues", "assessment")
BLOCK = 1 << 14
"""Words made at a time."""
LEVEL = 1e-3
"""Level of the verdict over all p-values of all orders, by Holm's rule; the two yardsticks left out."""

Numbers = Iterator[np.ndarray]


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
        mix(words, np.empty_like(words))
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


@dataclass(frozen=True)
class Statistic:
    """One line of the battery: which test, its p-value, and what the battery says of it."""

    test: str
    p: float
    said: str

    @property
    def two_sided(self) -> float:
        """Too bad and too good count alike; a p-value printed as 0 is at most 5e-9."""
        return min(1.0, 2 * max(min(self.p, 1 - self.p), 5e-9))


def feed(numbers: Numbers, pipe: int) -> None:
    """Write numbers, low bytes first, until nobody reads any more."""
    with open(pipe, "wb", buffering=0) as out:
        try:
            for block in numbers:
                rest = memoryview(block.astype(block.dtype.newbyteorder("<"), copy=False)).cast("B")
                while rest:
                    rest = rest[out.write(rest) :]
        except BrokenPipeError:
            return


def examine(order: str, battery: str) -> list[Statistic]:
    """All statistics of a battery on an order."""
    reading, writing = os.pipe()
    feeder = Thread(target=feed, args=(ORDERS[order](), writing))
    feeder.start()
    try:
        return [found for call in BATTERIES[battery] for found in called(call, reading)]
    finally:
        os.close(reading)
        feeder.join()


def called(call: tuple[str, ...], pipe: int) -> list[Statistic]:
    """The statistics of one call of dieharder, which reads the pipe."""
    shown = [word for field in FIELDS for word in ("-D", field)]
    command = ["dieharder", *call, "-g", "200", "-c", ",", *shown]
    said = subprocess.run(command, stdin=pipe, stdout=subprocess.PIPE, text=True, check=True)
    rows = [[part.strip() for part in line.split(",")] for line in said.stdout.splitlines()]
    return [
        Statistic(f"{row[0]} {row[1]}", float(row[2]), row[3])
        for row in rows
        if len(row) == len(FIELDS)
    ]


def main(battery: str, *chosen: str) -> int:
    """Print a line for each order, then what is not PASSED, then the verdict; 1 if it is no."""
    all_found: dict[str, list[Statistic]] = {}
    head = ("statistics", "WEAK", "FAILED", "p outside [.001, .999]", "minutes")
    print(f"{battery} battery, dieharder\n\n{'order':20}", *head, sep="  ")
    for order in chosen or tuple(ORDERS):
        start = time.perf_counter()
        found = all_found[order] = examine(order, battery)
        outside = sum(not 1e-3 <= s.p <= 1 - 1e-3 for s in found)
        said = [sum(s.said == word for s in found) for word in ("WEAK", "FAILED")]
        numbers = (len(found), *said, outside, f"{(time.perf_counter() - start) / 60:.1f}")
        cells = [f"{number:>{len(word)}}" for number, word in zip(numbers, head, strict=True)]
        print(f"{order:20}", *cells, sep="  ", flush=True)
    return verdict(all_found)


def verdict(all_found: dict[str, list[Statistic]]) -> int:
    """Print what the battery does not pass of kavg's words, and what Holm's rule says of it."""
    kavg = [
        (order, s) for order, found in all_found.items() for s in found if order not in YARDSTICKS
    ]
    if not kavg:
        return 0
    print("\nnot PASSED:")
    for order, s in kavg:
        if s.said != "PASSED":
            print(f"  {order:20}  {s.test:24} p = {s.p:.8f}  {s.said}")
    adjusted = holm([s.two_sided for _, s in kavg])
    rejected = int(np.sum(adjusted <= LEVEL))
    weak = sum(s.said != "PASSED" for _, s in kavg)
    print(f"\n{len(kavg)} statistics: {weak} not PASSED, {len(kavg) / 100:.0f} expected", end="; ")
    print(f"the least p by Holm's rule {adjusted.min():.2g}; {rejected} rejected at {LEVEL:g}")
    return int(rejected > 0)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in BATTERIES or not set(sys.argv[2:]) <= set(ORDERS):
        sys.exit(f"battery.py {'|'.join(BATTERIES)} [{'|'.join(ORDERS)}] ...")
    if shutil.which("dieharder") is None:
        sys.exit("dieharder is not installed: on Debian, apt-get install dieharder")
    sys.exit(main(*sys.argv[1:]))
