"""Where levels part: ``python tests/bits/trace.py [NAME [LEVEL [OTHER]]]``.

Without a name it lists, level by level, the runs whose digests are not those of the machine as it
is.  With one it repeats that run at two levels and prints the first functions of kavg that are
entered or left with other numbers in an array, a variable or an attribute; without a level, the
machine as it is and each of the others.  Memory that is not written yet is 0, and no time passes.
A tool for whoever looks for a difference; no test needs it.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import kavg

# As a script it lies beside these modules, in the suite below the folder that they are found in.
sys.path.insert(0, str(Path(__file__).parents[1]))
from bits.levels import digests_at, levels, run_at
from bits.runs import all_runs, differences, digest_of

ROOT = f"{Path(kavg.__file__).parent}/"
LEFT_OUT = ("engine/contracts/", "engine/fingerprint.py")
"""Trials of user code, whose numbers no digest depends on."""
SHOWN = 12
"""Differences that are printed."""


def numbers_of(frame: FrameType) -> Iterator[tuple[str, str]]:
    """Hashes of the numbers in a function's variables and in the attributes of ``self``."""
    values: dict[str, Any] = dict(frame.f_locals)
    own = getattr(values.get("self"), "__dict__", {})
    values |= {f"self.{name}": value for name, value in own.items()}
    for name, value in values.items():
        if isinstance(value, (float, np.ndarray, np.generic)) and not isinstance(value, np.void):
            array = np.asarray(value)
            if array.dtype.kind in "fiub":
                yield name, f"{array.dtype}{array.shape} {hashlib.md5(array.tobytes()).hexdigest()}"


def trace(name: str) -> None:
    """Print a line for each variable of each function that is entered or left."""
    run = all_runs()[name]

    def watch(frame: FrameType, event: str, _: object) -> None:
        place = frame.f_code.co_filename.removeprefix(ROOT)
        is_own = place != frame.f_code.co_filename and not place.startswith(LEFT_OUT)
        if event in ("call", "return") and is_own:
            for variable, content in numbers_of(frame):
                line = f"{event} {place}:{frame.f_lineno} {frame.f_code.co_qualname}"
                print(f"{line} {variable}", content, sep="\t")

    np.empty, np.empty_like, time.perf_counter = np.zeros, np.zeros_like, lambda: 0.0
    sys.setprofile(watch)
    try:
        digest_of(run)
    finally:
        sys.setprofile(None)


def compare(name: str, level: str, other: str) -> None:
    """Print the first lines in which two levels differ."""
    found = levels()
    first, second = (
        run_at(found[each], "trace.py", "--trace", name).splitlines() for each in (level, other)
    )
    pairs = list(zip_longest(first, second, fillvalue=""))
    # A function that is called in a loop is named once.
    parted = dict.fromkeys((a or b).partition("\t")[0] for a, b in pairs if a != b)
    print(f"{name}: {level} and {other}: {len(parted)} places of {len(pairs)} lines differ")
    print(*(f"  {place}\n" for place in list(parted)[:SHOWN]), sep="", end="")


def list_levels() -> None:
    """Print the runs whose digests are not those of the machine as it is, level by level."""
    plain: dict[str, str] = {}
    for name, variables in levels().items():
        answer = digests_at(variables)
        plain = plain or answer["digests"]
        others = differences(answer["digests"], plain)
        print(f"{name} ({answer['uses']['blas']}): {len(others)} of {len(plain) - 1} differ")
        print(*(f"  {each}\n" for each in others), sep="", end="", flush=True)


def main(words: list[str]) -> None:
    """Trace in this process, or compare others."""
    match words:
        case []:
            list_levels()
        case ["--trace", name]:
            trace(name)
        case [name, level, other]:
            compare(name, level, other)
        case [name, *chosen]:
            plain, *others = levels()
            for other in chosen or others:
                compare(name, plain, other)


if __name__ == "__main__":
    main(sys.argv[1:])
