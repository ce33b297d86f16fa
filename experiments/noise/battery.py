"""An external battery on the raw words, in the orders in which runs use them.

The battery is dieharder (Debian's package of that name); it reads 32-bit numbers from a pipe, which
this script fills.  Run it with ``python experiments/noise/battery.py small|full [order ...]``: all
orders unless some are named; ``full`` is ``dieharder -a``, ``small`` leaves out what is slow and
what dieharder itself calls suspect.  Instead of a battery's name there may be the arguments of one
call of dieharder, ``"-d 3 -p 1000"``, to look at one test harder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from threading import Thread

import numpy as np
from orders import ORDERS, YARDSTICKS, Numbers

from kavg.analysis.holm import adjust_p_values

BITS = [("-d", "200", "-n", str(bits)) for bits in range(1, 9)]
LAGS = [("-d", "203", "-n", str(lag)) for lag in (0, 1, 3, 7, 15)]
OTHERS = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 204, 205, 206, 207, 208, 209]
BATTERIES: dict[str, list[tuple[str, ...]]] = {
    "full": [("-a",)],
    "small": [*(("-d", str(test)) for test in OTHERS), *BITS, *LAGS],
}
"""The calls of dieharder that make up a battery; they read on in one stream of numbers."""
FIELDS = ("test_name", "ntuple", "pvalues", "assessment")
LEVEL = 1e-3
"""Level of the verdict over all p-values of all orders but the two yardsticks, by Holm's rule."""


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
                rest = memoryview(block.astype(block.dtype.newbyteorder("<")).tobytes())
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
        calls = BATTERIES.get(battery, [tuple(battery.split())])
        return [found for call in calls for found in called(call, reading)]
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
    adjusted = adjust_p_values([s.two_sided for _, s in kavg])
    rejected = int(np.sum(adjusted <= LEVEL))
    weak = sum(s.said != "PASSED" for _, s in kavg)
    print(f"\n{len(kavg)} statistics: {weak} not PASSED, {len(kavg) / 100:.0f} expected", end="; ")
    print(f"the least p by Holm's rule {adjusted.min():.2g}; {rejected} rejected at {LEVEL:g}")
    return int(rejected > 0)


if __name__ == "__main__":
    named = sys.argv[1:2] and (sys.argv[1] in BATTERIES or sys.argv[1].startswith("-d "))
    if not named or not set(sys.argv[2:]) <= set(ORDERS):
        sys.exit(f"battery.py {'|'.join(BATTERIES)}|'-d ...' [{'|'.join(ORDERS)}] ...")
    if shutil.which("dieharder") is None:
        sys.exit("dieharder is not installed: on Debian, apt-get install dieharder")
    sys.exit(main(*sys.argv[1:]))
