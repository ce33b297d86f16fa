"""How far the quantiles of the normals' table are moved, so that its moments are a normal's.

Run it with ``python experiments/noise/moments.py [count]``.  A table of quantiles lacks what lies
beyond its last entry: 2e-5 of the second moment, 2 % of the tenth.  Entry k, the quantile u, is
moved by ``(u/4) (c_0 + c_1 (u/4)^2 + ...) / (2 k + 1)``, and the ``count`` numbers c are those that
make as many even moments right.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from math import prod

import numpy as np

from kavg.base import Floats
from kavg.oracles.quantiles import (
    CORRECTION,
    SIZE,
    correct_tails,
    normal_quantiles,
    upper_quantiles,
)

DECIMALS = 8
"""Of the numbers that are found: the moments are then right to 1e-8."""
LARGEST_STEP = 0.02
"""The most that an entry moves in one step of Newton's method."""


def normal_moment(order: int) -> int:
    """The moment of a standard normal of this even order: ``1 3 5 ... (order - 1)``."""
    return prod(range(1, order, 2))


def find_correction(count: int) -> list[float]:
    """The numbers c that make the moments 2, 4, ..., 2 ``count`` right, by Newton's method."""
    u = upper_quantiles((np.arange(SIZE // 2) + 0.5) / SIZE)
    orders = range(2, 2 * count + 1, 2)
    effects = np.stack([correct_tails(u, row) - u for row in np.eye(count)])
    c = np.zeros(count)
    for _ in range(1000):
        x = u + c @ effects
        lacking = [1 - np.mean(x**k) / normal_moment(k) for k in orders]
        slopes = [np.mean(k * x ** (k - 1) * effects, axis=1) / normal_moment(k) for k in orders]
        step = np.linalg.solve(slopes, lacking)
        largest = np.abs(step @ effects).max()
        c += step * min(1.0, LARGEST_STEP / largest)
        if largest < 1e-12:
            return [round(float(each), DECIMALS) for each in c]
    raise ArithmeticError("Newton's method found no such numbers; take fewer")


def moment_errors(upper: Floats, orders: Sequence[int]) -> list[float]:
    """Relative errors of the moments of the table with this upper half, without rounding."""
    entries = [Fraction(*float(entry).as_integer_ratio()) for entry in upper]
    # All are whole multiples of this, and whole numbers are added much faster than fractions.
    unit = max(entry.denominator for entry in entries)
    whole = [int(entry * unit) for entry in entries]
    return [
        float(Fraction(sum(each**k for each in whole), len(whole) * unit**k) / normal_moment(k) - 1)
        for k in orders
    ]


def main(count: int) -> None:
    """Print the numbers, and the moments with them and without."""
    found = find_correction(count)
    print(f"c = {', '.join(map(repr, found))}")
    print(f"in kavg/oracles/quantiles.py: {', '.join(map(repr, CORRECTION))}")
    u = upper_quantiles((np.arange(SIZE // 2) + 0.5) / SIZE)
    moved = correct_tails(u, found).astype(np.float32)
    orders = range(2, 2 * count + 5, 2)
    tables = (u.astype(np.float32), moved, normal_quantiles()[SIZE // 2 :])
    print(f"\n{'moment':>6} {'normal':>12} {'quantiles':>10} {'moved':>9} {'of kavg':>9}")
    for k, *errors in zip(orders, *(moment_errors(table, orders) for table in tables), strict=True):
        shown = " ".join(f"{error:+9.1e}" for error in errors)
        print(f"{k:6} {normal_moment(k):12}  {shown}")
    print(f"outermost: {', '.join(f'{each:.4f}' for each in moved[:6])}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else len(CORRECTION))
