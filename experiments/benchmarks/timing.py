"""Fair timing: within each repetition every contestant runs once, in an order drawn anew.

A contestant runs for some milliseconds at least, so a clock's grain and a cold cache do not count.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Final

import numpy as np

from experiments.benchmarks.contestants.contestant import LeftOut, Repeat

PATIENCE: Final = 12.0
"""Seconds that one go of a contestant may take before it is left out."""

WALL: Final = "wall time"
CPU: Final = "CPU time"

Clock = Callable[[Repeat, int], float]
"""Seconds that so many goes take."""

Order = Callable[[int], list[int]]
"""A new order of so many contestants at each call."""


def stopwatch(repeat: Repeat, times: int) -> float:
    """Wall time in this process."""
    before = time.perf_counter()
    repeat(times)
    return time.perf_counter() - before


def cpu_stopwatch(repeat: Repeat, times: int) -> float:
    """CPU time of this process with all its threads: what other processes do does not count."""
    before = time.process_time()
    repeat(times)
    return time.process_time() - before


CLOCKS: Final[Mapping[str, Clock]] = {CPU: cpu_stopwatch, WALL: stopwatch}
"""What each kind of time is measured by."""


def goes(repeat: Repeat, least: float, clock: Clock = stopwatch) -> int:
    """How many goes take at least ``least`` seconds.

    The first go compiles, allocates and is not counted.
    """
    clock(repeat, 1)
    if least <= 0:
        return 1
    times, taken = 1, clock(repeat, 1)
    if taken > PATIENCE:
        raise LeftOut(f"{taken:.0f} s for a single go")
    while taken < least:
        wanted = ceil(1.2 * times * least / max(taken, 1e-9))
        times = min(max(wanted, times + 1), 16 * times)
        taken = clock(repeat, times)
    return times


def shuffled(seed: int) -> Order:
    """Orders that are a function of the seed."""
    draws = np.random.Generator(np.random.Philox(key=seed))
    return lambda count: np.argsort(draws.random(count)).tolist()


def interleaved(
    contestants: Mapping[str, Repeat],
    repetitions: int,
    least: float,
    *,
    clock: Clock = stopwatch,
    seed: int = 0,
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Seconds of a single go of every contestant, one a repetition; and notes on who was left out.

    >>> seconds, notes = interleaved({"a": lambda times: None}, repetitions=3, least=0.0)
    >>> len(seconds["a"]), notes
    (3, {})
    """
    times, notes = counted(contestants, least, clock)
    names, order = list(times), shuffled(seed)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with no_collection():
        for _ in range(repetitions):
            for place in order(len(names)):
                name = names[place]
                seconds[name].append(clock(contestants[name], times[name]) / times[name])
    return seconds, notes


def counted(
    contestants: Mapping[str, Repeat], least: float, clock: Clock
) -> tuple[dict[str, int], dict[str, str]]:
    """The goes of each contestant that can take part, and why the others cannot."""
    times: dict[str, int] = {}
    notes: dict[str, str] = {}
    for name, repeat in contestants.items():
        try:
            times[name] = goes(repeat, least, clock)
        except LeftOut as reason:
            notes[name] = str(reason)
    return times, notes


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect garbage now and not while clocks run."""
    gc.collect()
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
