"""External batteries on the raw words, in the orders in which runs use them.

The batteries are dieharder's (Debian's package of that name) and TestU01's (Debian's
``libtestu01-0-dev``, in non-free); they read 32-bit numbers from a pipe, which this script fills.
Run it with ``python experiments/noise/battery.py BATTERY [order ...]``: all orders unless some are
named.  ``small`` is dieharder without what is slow and what it calls suspect itself, ``full`` is
``dieharder -a``; ``smallcrush`` and ``crush`` are TestU01's.  Instead of a battery's name there may
be the arguments of one call of dieharder, ``"-d 3 -p 1000"``, to look at one test harder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
from orders import ORDERS, YARDSTICKS, Numbers, little_endian

from kavg.analysis.holm import adjust_p_values

LEVEL = 1e-3
"""Level of the verdict over all p-values of all orders but the yardsticks, by Holm's rule."""


@dataclass(frozen=True)
class Statistic:
    """One line of a battery: which test, its p-value, and what the battery says of it."""

    test: str
    p: float
    said: str
    least: float = 5e-9
    """What a p-value printed as 0 is at most."""

    @property
    def two_sided(self) -> float:
        """Too bad and too good count alike."""
        return min(1.0, 2 * max(min(self.p, 1 - self.p), self.least))


Statistics = list[Statistic]


# --- dieharder

BITS = [("-d", "200", "-n", str(bits)) for bits in range(1, 9)]
LAGS = [("-d", "203", "-n", str(lag)) for lag in (0, 1, 3, 7, 15)]
OTHERS = [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 204, 205, 206, 207, 208, 209]
CALLS: dict[str, list[tuple[str, ...]]] = {
    "full": [("-a",)],
    "small": [*(("-d", str(test)) for test in OTHERS), *BITS, *LAGS],
}
"""The calls of dieharder that make up a battery; they read on in one stream of numbers."""
FIELDS = ("test_name", "ntuple", "pvalues", "assessment")


def dieharder(battery: str, pipe: int) -> Statistics:
    """All statistics of a battery of dieharder, which reads the pipe."""
    calls = CALLS.get(battery, [tuple(battery.split())])
    return [found for call in calls for found in called(call, pipe)]


def called(call: tuple[str, ...], pipe: int) -> Statistics:
    """The statistics of one call of dieharder."""
    shown = [word for field in FIELDS for word in ("-D", field)]
    command = ["dieharder", *call, "-g", "200", "-c", ",", *shown]
    said = subprocess.run(command, stdin=pipe, stdout=subprocess.PIPE, text=True, check=True)
    rows = [[part.strip() for part in line.split(",")] for line in said.stdout.splitlines()]
    return [
        Statistic(f"{row[0]} {row[1]}", float(row[2]), row[3])
        for row in rows
        if len(row) == len(FIELDS)
    ]


# --- TestU01

SIZES = {"smallcrush": "small", "crush": "medium"}
SOURCE = Path(__file__).with_name("crush.c")
LIBRARIES = ("-ltestu01", "-ltestu01probdist", "-ltestu01mylib", "-lm")
SUSPECT, FAILED = 1e-3, 1e-10
"""Where the reports of TestU01 begin to show a p-value, and where they print ``eps``."""


def testu01(battery: str, pipe: int) -> Statistics:
    """All statistics of a battery of TestU01, which reads the pipe."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder, "crush"))
        flags = os.environ.get("CFLAGS", "").split()
        subprocess.run(["cc", "-O2", str(SOURCE), "-o", program, *flags, *LIBRARIES], check=True)
        command = [program, SIZES[battery]]
        said = subprocess.run(command, stdin=pipe, stdout=subprocess.PIPE, text=True, check=True)
    rows = [line[2:].rsplit(",", 1) for line in said.stdout.splitlines() if line.startswith("p,")]
    return [Statistic(test, float(p), assessed(float(p)), least=1e-300) for test, p in rows]


def assessed(p: float) -> str:
    """TestU01's own thresholds, in dieharder's words."""
    near = min(p, 1 - p)
    return "FAILED" if near < FAILED else "WEAK" if near < SUSPECT else "PASSED"


# --- any battery


def feed(numbers: Numbers, pipe: int) -> None:
    """Write numbers, low bytes first, until nobody reads any more."""
    with open(pipe, "wb", buffering=0) as out:
        try:
            for block in numbers:
                rest = memoryview(little_endian(block))
                while rest:
                    rest = rest[out.write(rest) :]
        except BrokenPipeError:
            return


def examine(order: str, battery: str) -> Statistics:
    """All statistics of a battery on an order."""
    program: Callable[[str, int], Statistics] = testu01 if battery in SIZES else dieharder
    reading, writing = os.pipe()
    feeder = Thread(target=feed, args=(ORDERS[order](), writing))
    feeder.start()
    try:
        return program(battery, reading)
    finally:
        os.close(reading)
        feeder.join()


def main(battery: str, *chosen: str) -> int:
    """Print a line for each order, then what is not PASSED, then the verdict; 1 if it is no."""
    all_found: dict[str, Statistics] = {}
    head = ("statistics", "WEAK", "FAILED", "p outside [.001, .999]", "minutes")
    name = "TestU01" if battery in SIZES else "dieharder"
    print(f"{battery} battery, {name}\n\n{'order':20}", *head, sep="  ")
    for order in chosen or tuple(ORDERS):
        start = time.perf_counter()
        found = all_found[order] = examine(order, battery)
        outside = sum(not 1e-3 <= s.p <= 1 - 1e-3 for s in found)
        said = [sum(s.said == word for s in found) for word in ("WEAK", "FAILED")]
        numbers = (len(found), *said, outside, f"{(time.perf_counter() - start) / 60:.1f}")
        cells = [f"{number:>{len(word)}}" for number, word in zip(numbers, head, strict=True)]
        print(f"{order:20}", *cells, sep="  ", flush=True)
    return verdict(all_found, 2 * SUSPECT if battery in SIZES else 0.01)


def verdict(all_found: dict[str, Statistics], chance: float) -> int:
    """Print what the battery does not pass of kavg's words, and what Holm's rule says of it.

    ``chance`` is that of one flawless statistic not to be PASSED.
    """
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
    print(
        f"\n{len(kavg)} statistics: {weak} not PASSED, {len(kavg) * chance:.0f} expected;", end=""
    )
    print(f" the least p by Holm's rule {adjusted.min():.2g}; {rejected} rejected at {LEVEL:g}")
    return int(rejected > 0)


if __name__ == "__main__":
    named = sys.argv[1:2] and (sys.argv[1] in {*CALLS, *SIZES} or sys.argv[1].startswith("-d "))
    if not named or not set(sys.argv[2:]) <= set(ORDERS):
        sys.exit(f"battery.py {'|'.join((*CALLS, *SIZES))}|'-d ...' [{'|'.join(ORDERS)}] ...")
    if sys.argv[1] not in SIZES and shutil.which("dieharder") is None:
        sys.exit("dieharder is not installed: on Debian, apt-get install dieharder")
    sys.exit(main(*sys.argv[1:]))
