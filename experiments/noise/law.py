"""The law of a normal and of a pair without sampling error: all ``2^32`` pairs of table entries.

Run it with ``python experiments/noise/law.py``.  A pair of normals is ``z1 = v(a) + u(b)`` and
``z2 = u(a) - v(b)``, where a and b are two 16-bit numbers, v is 0.8 and u is 0.6 times the table of
quantiles.  Every probability is a count of pairs (a, b), every moment a polynomial in moments of
the table.  Only the last rounding to float32, at most 6e-8 of a value, is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from math import comb, fsum, prod, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kavg.base import Floats
from kavg.oracles.normals import LONG_SIDE, RATIO
from kavg.oracles.quantiles import normal_quantiles

BINS, SIDE, CHUNK = 4096, 64, 256
SIGMAS = (3, 4, 5, 6)
VISIBLE = 5.0
"""Standard errors at which a deviation counts as seen."""
EXACT = 1e-6
"""What a moment to the eighth may lack, in standard deviations of its power."""


def double_factorial(power: int) -> int:
    """The moment of a standard normal: ``1 3 5 ... (power - 1)``, or 0 for odd powers.

    >>> [double_factorial(power) for power in (2, 3, 4, 6)]
    [1, 0, 3, 15]
    """
    return 0 if power % 2 else prod(range(1, power, 2))


class Law:
    """Entries in ascending order: ``v`` is 0.8, ``u`` is 0.6 times the table, as float32 has it."""

    def __init__(self, v: Floats, u: Floats) -> None:
        self.v, self.u = v, u
        self.means: dict[tuple[int, int], float] = {}

    @cached_property
    def lengths(self) -> Floats:
        """The part of one entry in ``z1^2 + z2^2``, in ascending order."""
        return np.sort(self.v**2 + self.u**2)

    # --- moments

    def mean(self, p: int, q: int) -> float:
        """``E v^p u^q`` over one entry."""
        if (p, q) not in self.means:
            self.means[p, q] = fsum(self.v**p * self.u**q) / len(self.v)
        return self.means[p, q]

    def moment(self, i: int, j: int) -> float:
        """``E z1^i z2^j``."""
        return fsum(
            comb(i, p) * comb(j, q) * (-1) ** (j - q) * self.mean(p, q) * self.mean(j - q, i - p)
            for p, q in product(range(i + 1), range(j + 1))
        )

    def error(self, i: int, j: int) -> float:
        """``E z1^i z2^j`` against independent normals, in standard deviations of the product."""
        expected = double_factorial(i) * double_factorial(j)
        variance = double_factorial(2 * i) * double_factorial(2 * j) - expected**2
        return (self.moment(i, j) - expected) / sqrt(variance)

    # --- probabilities

    def below(self, points: Floats) -> Floats:
        """``P(z1 <= x)``."""
        return below(self.u, self.v, points)

    def cells(self, edges: Floats) -> NDArray[np.int64]:
        """How many pairs (a, b) have z1 between these edges and z2 between those."""
        n, counts = len(self.v), np.zeros((len(edges) + 1,) * 2, np.int64)
        for first in range(0, n, CHUNK):
            v, u = (part[first : first + CHUNK, None] for part in (self.v, self.u))
            # Ranks of b: z1 rises with b, z2 falls, so each bin is an interval of ranks.
            one = padded(np.searchsorted(self.u, edges - v, "right"), n)
            two = padded(np.searchsorted(self.v, u - edges[::-1], "left"), n)
            top = np.minimum(one[:, 1:, None], two[:, None, 1:])
            bottom = np.maximum(one[:, :-1, None], two[:, None, :-1])
            counts += np.maximum(top - bottom, 0).sum(axis=0)
        return counts[:, ::-1]


def padded(ranks: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Ranks between 0 and n, a row an entry."""
    return np.pad(ranks, ((0, 0), (1, 1)), constant_values=((0, 0), (0, n)))


def below(ordered: Floats, others: Floats, points: Floats) -> Floats:
    """``P(x + y <= point)``, x uniform on ascending values and y on others, independently."""
    size = len(ordered) * len(others)
    queries = np.sort(-others)  # ascending queries are found three times as fast
    counts = [np.searchsorted(ordered, point + queries, "right").sum() for point in points]
    return np.array(counts) / size


def law_of_the_code() -> Law:
    """The law of standard normals as ``kavg.oracles.normals`` makes them."""
    v = (LONG_SIDE * normal_quantiles().astype(float)).astype(np.float32)
    return Law(v.astype(float), (RATIO * v).astype(float))


# --- what is printed


def draws_to_see(error: float) -> str:
    """The draws after which a mean that is off by so many standard deviations is seen."""
    return f"{(VISIBLE / error) ** 2:.0e}" if abs(error) > 1e-9 else "never"


def moments(law: Law) -> Iterator[str]:
    """The even moments to order 12, and the joint ones."""
    yield "moment        normal   table's less   z's less   draws until 5 standard errors"
    for power in range(2, 13, 2):
        expected = double_factorial(power)
        table = law.mean(power, 0) * 1.25**power - expected
        error = law.error(power, 0)
        cells = f"{table:>14.1e} {law.moment(power, 0) - expected:>10.1e}"
        yield f"E z^{power:<2} {expected:>14} {cells}   {draws_to_see(error)}"
    for order in (8, 10, 12):
        # A quarter turn exchanges i and j.
        joint = [(i, order - i) for i in range(1, order // 2 + 1)]
        i, j = max(joint, key=lambda powers: abs(law.error(*powers)))
        name = f"E z1^{i} z2^{j}"
        yield f"of order {order:<2} the worst is {name:14} draws {draws_to_see(law.error(i, j))}"


def distances(law: Law) -> Iterator[str]:
    """Kolmogorov's distances of a normal, the length and the angle of a pair, and the table."""
    points = special.ndtri((np.arange(800) + 0.382) / 1600)
    yield f"a normal           {np.abs(law.below(points) - special.ndtr(points)).max():.1e}"
    uniform = (np.arange(300) + 0.382) / 300
    squares = -2 * np.log1p(-uniform)
    found = below(law.lengths, law.lengths, squares)
    yield f"length of a pair   {np.abs(found - uniform).max():.1e}"
    yield f"angle of a pair    {angle_distance(law):.1e}"
    steps, exact = np.arange(len(law.v) + 1) / len(law.v), special.ndtr(1.25 * law.v)
    distance = max(np.abs(steps[1:] - exact).max(), np.abs(steps[:-1] - exact).max())
    yield f"0.8 z1 + 0.6 z2    {distance:.1e}, with {len(np.unique(law.v))} values"


def angle_distance(law: Law, count: int = 300) -> float:
    """Kolmogorov's distance of the angle of (A, B), of which z1 and z2 have a turned one.

    At 45 degrees A = B in one of 32,768 pairs of a quadrant: a jump, of which both sides count.
    """
    quarter = np.append((np.arange(count) + 0.382) / count, 0.5)
    slopes = np.append(np.tan(quarter[:-1] * np.pi / 2), 1.0)
    positive = np.sort(law.v[law.v > 0])
    sides = [
        [np.searchsorted(positive, positive * slope, side).mean() for slope in slopes]
        for side in ("left", "right")
    ]
    # A quadrant has a quarter of all pairs.
    return float(np.abs(np.array(sides) / len(positive) - quarter).max()) / 4


def tails(law: Law) -> Iterator[str]:
    """Probabilities beyond 3 to 6 standard deviations, and the largest value."""
    for k in SIGMAS:
        found, exact = float(law.below(np.array([-float(k)]))[0]), float(special.ndtr(-k))
        yield f"P(z > {k}) = {found:.4e}, of a normal {exact:.4e}: ratio {found / exact:.4f}"
    largest = float(law.v.max() + law.u.max())
    yield f"the largest z: {largest:.4f}; the exact law has {special.ndtr(-largest):.1e} beyond it"
    gaps = nearest(law.v, -law.u[::-1])
    yield f"the smallest |z|: {gaps.min():.1e}; zero for {np.sum(gaps == 0)} of {len(gaps)} entries"


def nearest(values: Floats, ordered: Floats) -> Floats:
    """How far each value is from the nearest of others, in ascending order."""
    right = np.searchsorted(ordered, values)
    around = (np.clip(right - 1, 0, None), np.clip(right, None, len(ordered) - 1))
    return np.minimum(*(np.abs(ordered[places] - values) for places in around))


def bins(law: Law) -> Iterator[str]:
    """Chi-squares of 4096 bins, equally likely for normals, and the draws until they are seen."""
    half = law.below(special.ndtri(np.arange(1, BINS // 2) / BINS))
    single = np.diff([0.0, *half, 0.5])
    edges = special.ndtri(np.arange(1, SIDE) / SIDE)
    pairs = law.cells(edges) / len(law.v) ** 2
    for name, p in (("normals, 4096 bins", np.tile(single, 2)), ("pairs, 64 x 64 bins", pairs)):
        worst = np.abs(p * BINS - 1).max()
        draws = VISIBLE * sqrt(2 * (BINS - 1)) / float(np.sum((p - 1 / BINS) ** 2) * BINS)
        yield f"{name:20} worst bin off by {worst:.1e}; chi-square sees it after {draws:.0e}"


def quarter_turns(count: int = 1 << 20) -> int:
    """How many of so many pairs break ``(a, b) -> (-b, a), (z1, z2) -> (z2, -z1)``, to the bit."""
    a, b = np.random.Generator(np.random.PCG64(1)).integers(0, 2**16, (2, count))
    v = (LONG_SIDE * normal_quantiles().astype(float)).astype(np.float32)
    u = RATIO * v
    turned = 2**16 - 1 - b
    same = (v[turned] + u[a] == u[a] - v[b]) & (u[turned] - v[a] == -(v[a] + u[b]))
    return int(count - same.sum())


def main() -> int:
    """Print all of it; 1 if a moment to the eighth or the quarter turn is not as claimed."""
    law = law_of_the_code()
    for part in (moments, tails, distances, bins):
        print("\n".join([*part(law), ""]))
    broken = quarter_turns()
    print(f"quarter turns that change more than the sign and the place of a normal: {broken}")
    powers = [(i, j) for i in range(9) for j in range(9 - i) if i + j]
    return int(broken > 0 or max(abs(law.error(*power)) for power in powers) > EXACT)


if __name__ == "__main__":
    sys.exit(main())
