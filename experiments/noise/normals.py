"""Whether addressed normals are normal and independent: moments, laws, neighbours, tails.

Run it with ``python experiments/noise/normals.py [draws] [seed]``; each of four layouts is drawn
for two seeds and two purposes, ``draws`` numbers each time.  Every p-value is two-sided, and one
verdict is given over all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from math import factorial, prod, sqrt

import anderson_darling
import numpy as np
from findings import Finding, chi_square, normal, oddest, of_law, table, verdict
from numpy.typing import NDArray
from scipy import special, stats

from kavg.base import Floats
from kavg.oracles.normals import Floats32, Normals
from kavg.oracles.streams import Purpose

LAYOUTS = {
    "many learners": (20, 0, 4, 2),
    "many replicas": (20, 4, 0, 3),
    "many dimensions": (20, 3, 4, 0),
    "many steps": (0, 4, 4, 4),
}
"""``(steps, learners, replicas, dimensions)``; the 0 stands for as many as the draws fill."""
PURPOSES = (Purpose.NOISE, Purpose.SHIFT)
ORDERS = range(1, 4)
SIGMAS = range(1, 6)
CHUNK = 1 << 17


def drawn(layout: str, draws: int, seed: int, purpose: Purpose) -> Floats32:
    """About so many standard normals, ``(steps, learners, replicas, dimensions)``."""
    free = draws // prod(size or 1 for size in LAYOUTS[layout])
    steps, P, R, d = (size or free for size in LAYOUTS[layout])
    normals = Normals(seed=seed, purpose=purpose, R=R, tile=P, d=d)
    z = np.empty((steps, P, R, d), np.float32)
    for step in range(steps):
        z[step] = normals.draw(step, 1.0)
    return z


# --- one law


def moments(z: Floats32, draws: str) -> Iterator[Finding]:
    """``E z = 0, E z^2 = 1, E z^3 = 0, E z^4 = 3``, with their standard errors."""
    sums = np.sum([powers(part) for part in parts(z.ravel())], axis=0)
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        value = sums[power - 1] / z.size - expected
        yield normal(f"E z^{power} - {expected}", draws, value, sqrt(variance / z.size))


def powers(z: Floats) -> Floats:
    """Sums of the first four powers."""
    return np.array([np.sum(z**power) for power in range(1, 5)])


def parts(z: Floats32) -> Iterator[Floats]:
    """Pieces of a row in float64."""
    return (z[first : first + CHUNK].astype(float) for first in range(0, len(z), CHUNK))


def laws(z: Floats32, draws: str) -> Iterator[Finding]:
    """Kolmogorov and Smirnov's and Anderson and Darling's tests of the normal law."""
    ordered = np.sort(z.ravel()).astype(float)
    yield of_law("Kolmogorov-Smirnov", draws, special.ndtr(ordered))
    p = anderson_darling.p_value(ordered)
    yield Finding("Anderson-Darling", draws, f"p = {p:.3f}", p)


def tail_counts(z: Floats32) -> NDArray[np.int64]:
    """How many draws lie above 1 to 5 and below -1 to -5."""
    return np.array([[np.sum(z > k), np.sum(z < -k)] for k in SIGMAS])


def tails(counts: NDArray[np.int64], size: int, draws: str) -> Iterator[Finding]:
    """Numbers beyond 1 to 5 standard deviations on either side: exact binomial p-values."""
    for k, row in zip(SIGMAS, counts, strict=True):
        p = float(special.ndtr(-k))
        expected = f"{size * p:.0f}" if size * p > 100 else f"{size * p:.2f}"
        for side, found in zip((f"above +{k}", f"below -{k}"), row, strict=True):
            exact = stats.binomtest(int(found), size, p).pvalue
            yield Finding(side, draws, f"{found} of {expected}", exact)


def pairs(z: Floats32, draws: str) -> Iterator[Finding]:
    """The two steps that share a word: Gauss's ``exp(-r^2/2)`` and the angle are uniform."""
    even, odd = (z[first : len(z) // 2 * 2 : 2].ravel().astype(float) for first in (0, 1))
    radii = np.exp(-(even * even + odd * odd) / 2)
    turns = np.arctan2(odd, even) / (2 * np.pi) + 0.5
    yield of_law("steps 2s and 2s+1: radius", draws, np.sort(radii))
    yield of_law("steps 2s and 2s+1: angle", draws, np.sort(turns))


# --- each stream, and the mean of the learners


def streams(z: Floats32, draws: str) -> Iterator[Finding]:
    """Every stream's own mean and sum of squares, and the means over the learners."""
    own = np.moveaxis(z, 0, 2).reshape(z.shape[1] * z.shape[2], -1)
    count = own.shape[1]
    means = own.sum(axis=1, dtype=float) / sqrt(count)
    squares = np.array([np.dot(row, row) for row in own.astype(float)])
    squares_odd = 2 * np.minimum(stats.chi2.sf(squares, count), stats.chi2.cdf(squares, count))
    averages = z.sum(axis=1, dtype=float).ravel() / sqrt(z.shape[1])
    yield of_law("streams' means", draws, np.sort(special.ndtr(means)))
    yield of_law("streams' sums of squares", draws, np.sort(stats.chi2.cdf(squares, count)))
    yield oddest("the oddest mean", draws, 2 * special.ndtr(-np.abs(means)))
    yield oddest("the oddest sum of squares", draws, squares_odd)
    yield of_law("means of the learners", draws, np.sort(special.ndtr(averages)))


# --- neighbours


def neighbours(z: Floats32) -> Iterator[tuple[str, Floats32, Floats32]]:
    """Pairs of arrays of draws that stand side by side."""
    yield "learners", z[:, 1:], z[:, :-1]
    yield "replicas", z[:, :, 1:], z[:, :, :-1]
    yield "dimensions", z[..., 1:], z[..., :-1]
    for lag in (1, 2, 7):
        yield f"steps, lag {lag}", z[lag:], z[:-lag]
    yield "steps 2s and 2s+1", z[1::2], z[0 : len(z) // 2 * 2 : 2]
    yield "learner and step", z[1:, 1:], z[:-1, :-1]


def dependence(pair: str, a: Floats32, b: Floats32, draws: str) -> Iterator[Finding]:
    """Means of ``He_i(a) He_j(b)``, orders 1 to 3: uncorrelated, of mean 0 and variance i! j!."""
    sums = sum(
        hermite(x) @ hermite(y).T for x, y in zip(parts(a.ravel()), parts(b.ravel()), strict=True)
    )
    scales = np.array([sqrt(factorial(order)) for order in ORDERS])
    scores = sums / np.outer(scales, scales) / sqrt(a.size)
    yield normal(f"{pair}: z", draws, scores[0, 0] / sqrt(a.size), 1 / sqrt(a.size))
    yield normal(f"{pair}: z^2-1", draws, scores[1, 1] / sqrt(a.size), 1 / sqrt(a.size))
    yield chi_square(f"{pair}: 9 products", draws, float(np.sum(scores**2)), scores.size)


def hermite(z: Floats) -> Floats:
    """``z, z^2 - 1, z^3 - 3z``: a row each."""
    return np.stack([z, z * z - 1, z * (z * z - 3)])


# --- all


def examined(z: Floats32, draws: str) -> list[Finding]:
    """All findings on one array of draws."""
    found = [*moments(z, draws), *laws(z, draws), *tails(tail_counts(z), z.size, draws)]
    found += [*streams(z, draws), *pairs(z, draws)]
    for pair, a, b in neighbours(z):
        found += dependence(pair, a, b, draws)
    return found


def of_layout(layout: str, draws: int, seed: int) -> tuple[list[Finding], NDArray[np.int64], int]:
    """Two seeds and two purposes of a layout: findings, and tails and number of all its draws."""
    seed += 2 * list(LAYOUTS).index(layout)  # other layouts would arrange the same numbers anew
    cases = list(product((seed, seed + 1), PURPOSES))
    sets = [drawn(layout, draws, *case) for case in cases]
    found: list[Finding] = []
    for z, (s, p) in zip(sets, cases, strict=True):
        found += examined(z, layout if z is sets[0] else f"{layout}, {s}, {p.name}")
    found += dependence("purposes", sets[0], sets[1], layout)
    found += dependence("seeds", sets[0], sets[2], layout)
    return found, np.sum([tail_counts(z) for z in sets], axis=0), sum(z.size for z in sets)


def main(draws: int = 10_000_000, seed: int = 1) -> int:
    """Print the tables and the verdict; how many tests were rejected."""
    names = " and ".join(purpose.name for purpose in PURPOSES)
    print(f"{draws} draws a time: 4 layouts, 2 seeds each from {seed} on, purposes {names}")
    print("shown: the first seed and purpose of each; in brackets, standard errors\n")
    parts = [of_layout(layout, draws, seed) for layout in LAYOUTS]
    findings = [finding for found, _, _ in parts for finding in found]
    size = sum(size for _, _, size in parts)
    together = list(tails(np.sum([counts for _, counts, _ in parts], axis=0), size, "all draws"))
    lines, rejected = verdict([*findings, *together])
    print("\n".join([*table(findings, tuple(LAYOUTS)), "", f"all {size} draws"]))
    print("\n".join([*table(together, ("all draws",)), "", *lines]))
    return rejected


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
