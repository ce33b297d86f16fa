"""Which check catches which variant, and the page that says so.

``python docs/tools/pages.py --write museum`` writes the page from what this program prints.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from museum.checks import CHECKS, Check
from museum.variants import VARIANTS, Variant

from kavg.errors import KavgError

Grid = Mapping[str, tuple[str, ...]]
"""The name of each variant, to the names of the checks that catch it."""


def fails(check: Check) -> bool:
    """Does the check say that something is wrong?  What breaks down or is refused counts."""
    try:
        with np.errstate(all="ignore"):
            check.run()
    except (AssertionError, ArithmeticError, KavgError):
        return True
    return False


def caught_by(variant: Variant) -> tuple[str, ...]:
    with variant.plant():
        return tuple(check.name for check in CHECKS if fails(check))


def grid() -> Grid:
    return {variant.name: caught_by(variant) for variant in VARIANTS}


HEAD = """# The museum of faults

Printed by `PYTHONPATH=tests python -m museum.grid`, and compared with that by a test.

Each row is a faulty variant of kavg, planted while the checks run, after a fault that was met
elsewhere: the same kind of fault, not the same line. A name with a number is a thread on GitHub, a
name without one is a code base as its source was read, and "no thread" marks what the conventions
invite. Each column is a check of `tests/museum/checks.py`; a dot marks a check that catches the
fault. What kavg itself refuses as a run begins is caught by every check that runs into it
([contributing.md](contributing.md), "What is checked of your code"). The program as it is passes
all of them, every fault is caught at least once, and every check catches something
(`tests/museum/test_museum.py`).
"""
TAIL = """
Laws are those of [the design](design.md); exact moments are those of [the theory](theory.md),
section 4; a verdict catches a fault when a bound whose conditions are met is violated. A verdict
cannot see a fault that makes a run better, or not worse, than the theorem allows; the laws and the
moments can.

`PYTHONPATH=tests python -m museum.piece "gamma applied twice"` plants one of them and runs
`kavg check` on `tests/museum/piece.toml`: it exits with 3, and with 0 where no fault is named.
"""


def page(found: Grid) -> str:
    lines = [HEAD]
    lines.append("| fault | what it does | met in | " + " | ".join(c.name for c in CHECKS) + " |")
    lines.append("|---|---|---" + "|:-:" * len(CHECKS) + "|")
    kinds = " | ".join(f"*{check.kind}*" for check in CHECKS)
    lines.append(f"| | | | {kinds} |")
    for variant in VARIANTS:
        dots = " | ".join("●" if c.name in found[variant.name] else "" for c in CHECKS)
        lines.append(f"| {variant.name} | {variant.words} | {variant.source} | {dots} |")
    totals = [sum(check.name in names for names in found.values()) for check in CHECKS]
    lines.append("| **caught** | | | " + " | ".join(map(str, totals)) + " |")
    return "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    sys.stdout.write(page(grid()))
