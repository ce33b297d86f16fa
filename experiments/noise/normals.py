"""Whether addressed normals are normal and independent: moments, laws, pairs, neighbours, tails.

Run it with ``python experiments/noise/normals.py [draws] [seed]``; each layout is drawn for two
seeds and two purposes, ``draws`` numbers each time.  Every p-value is two-sided, and one verdict is
given over all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import product
from math import factorial, prod, sqrt

import anderson_darling
import numpy as np
from findings import Finding, chi_square, normal, oddest, of_law, table, verdict
from numpy.typing import NDArray
from scipy import special, stats

from kavg.base import Floats
from kavg.oracles.box_muller import PolarNormals
from kavg.oracles.normals import Normals
from kavg.oracles.streams import Purpose

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """The shape of the draws; a 0 stands for as many as the draws fill."""

    steps: int
    P: int
    R: int
    d: int

    def filled(self, draws: int) -> tuple[int, int, int, int]:
        """Steps, learners, replicas and coordinates of about so many draws."""
        sizes = astuple(self)
        free = draws // prod(size or 1 for size in sizes)
        steps, P, R, d = (size or free for size in sizes)
        return steps, P, R, d


LAWS = {
    "table": {
        "learners, d = 1": Layout(20, 0, 4, 1),
        "steps, d = 2": Layout(0, 4, 4, 2),
        "replicas, d = 3": Layout(20, 4, 0, 3),
        "steps, d = 10": Layout(0, 4, 8, 10),
        "d = 1000": Layout(0, 2, 2, 1000),
    },
    "Box and Muller": {
        "polar: d = 3": Layout(20, 4, 0, 3),
        "polar: d = 10": Layout(0, 4, 8, 10),
    },
}
"""Normals from the table of quantiles, and those by Box and Muller."""
LAYOUTS = {name: layout for layouts in LAWS.values() for name, layout in layouts.items()}
PURPOSES = (Purpose.NOISE, Purpose.SHIFT)
ORDERS = range(1, 4)
SIGMAS = range(1, 7)
BINS, SIDE = 4096, 64
CHUNK = 1 << 17


def drawn(name: str, draws: int, seed: int, purpose: Purpose) -> Floats32:
    """About so many standard normals, ``(steps, learners, replicas, dimensions)``."""
    steps, P, R, d = LAYOUTS[name].filled(draws)
    plan = Normals if name in LAWS["table"] else PolarNormals
    normals = plan(seed=seed, purpose=purpose, R=R, tile=P, d=d, dtype="float32")
    z = np.empty((steps, P, R, d), np.float32)
    for step in range(steps):
        z[step] = normals.draw(step, 1.0)
    return z


# --- one law


def moments(z: Floats32, draws: str) -> Iterator[Finding]:
    """The means of the first eight powers, with their standard errors."""
    sums = np.sum([powers(part) for part in parts(z.ravel())], axis=0)
    expected = [0 if power % 2 else prod(range(1, power, 2)) for power in range(17)]
    for power in range(1, 9):
        variance = expected[2 * power] - expected[power] ** 2
        value = sums[power - 1] / z.size - expected[power]
        yield normal(f"E z^{power} - {expected[power]}", draws, value, sqrt(variance / z.size))


def powers(z: Floats) -> Floats:
    """Sums of the first eight powers."""
    sums, power = np.empty(8), np.ones_like(z)
    for place in range(8):
        power *= z
        sums[place] = power.sum()
    return sums


def parts(z: Floats32) -> Iterator[Floats]:
    """Pieces of a row in float64."""
    return (z[first : first + CHUNK].astype(float) for first in range(0, len(z), CHUNK))


def laws(z: Floats32, draws: str) -> Iterator[Finding]:
    """Kolmogorov and Smirnov's, Anderson and Darling's and Pearson's tests of the normal law."""
    ordered = np.sort(z.ravel()).astype(float)
    uniforms = special.ndtr(ordered)
    yield of_law("Kolmogorov-Smirnov", draws, uniforms)
    p = anderson_darling.p_value(ordered)
    yield Finding("Anderson-Darling", draws, f"p = {p:.3f}", p)
    ranks = np.searchsorted(uniforms, np.arange(BINS + 1) / BINS)
    yield equally_likely(f"{BINS} bins", draws, np.diff(ranks))


def equally_likely(quantity: str, draws: str, counts: NDArray[np.int64]) -> Finding:
    """Pearson's chi-square of cells that are equally likely."""
    expected = counts.sum() / counts.size
    value = float(np.sum((counts - expected) ** 2)) / expected
    return chi_square(quantity, draws, value, counts.size - 1)


def tail_counts(z: Floats32) -> NDArray[np.int64]:
    """How many draws lie above 1 to 6 and below -1 to -6."""
    return np.array([[np.sum(z > k), np.sum(z < -k)] for k in SIGMAS])


def tails(counts: NDArray[np.int64], size: int, draws: str) -> Iterator[Finding]:
    """Numbers beyond 1 to 6 standard deviations on either side: exact binomial p-values."""
    for k, row in zip(SIGMAS, counts, strict=True):
        p = float(special.ndtr(-k))
        expected = f"{size * p:.0f}" if size * p > 100 else f"{size * p:.2g}"
        for side, found in zip((f"above +{k}", f"below -{k}"), row, strict=True):
            exact = stats.binomtest(int(found), size, p).pvalue
            yield Finding(side, draws, f"{found} of {expected}", exact)


# --- the two normals of a pair


def pair(z: Floats32) -> tuple[Floats32, Floats32]:
    """Coordinates ``2i`` and ``2i + 1``, which are made of the same two numbers."""
    return z[..., 0 : z.shape[-1] - 1 : 2], z[..., 1::2]


def pairs(z: Floats32, draws: str) -> Iterator[Finding]:
    """The plane of a pair: 64 x 64 cells, Gauss's ``exp(-r^2/2)`` and the angle are uniform."""
    if z.shape[-1] == 1:
        return
    first, second = (side.ravel().astype(float) for side in pair(z))
    columns, rows = ((special.ndtr(side) * SIDE).astype(np.int64) for side in (first, second))
    counts = np.bincount(SIDE * columns + rows, minlength=SIDE**2)
    yield equally_likely(f"a pair: {SIDE} x {SIDE} cells", draws, counts)
    radii = np.exp(-(first * first + second * second) / 2)
    turns = np.arctan2(second, first) / (2 * np.pi) + 0.5
    yield of_law("a pair: length", draws, np.sort(radii))
    yield of_law("a pair: angle", draws, np.sort(turns))


# --- each learner's replica, and the mean of the learners


def rows(z: Floats32, draws: str) -> Iterator[Finding]:
    """The mean and sum of squares of each learner's replica, and the means over the learners."""
    own = np.moveaxis(z, 0, 2).reshape(z.shape[1] * z.shape[2], -1)
    count = own.shape[1]
    means = own.sum(axis=1, dtype=float) / sqrt(count)
    squares = np.array([np.dot(row, row) for row in own.astype(float)])
    squares_odd = 2 * np.minimum(stats.chi2.sf(squares, count), stats.chi2.cdf(squares, count))
    averages = z.sum(axis=1, dtype=float).ravel() / sqrt(z.shape[1])
    yield of_law("means of a row", draws, np.sort(special.ndtr(means)))
    yield of_law("sums of squares of a row", draws, np.sort(stats.chi2.cdf(squares, count)))
    yield oddest("the oddest mean", draws, 2 * special.ndtr(-np.abs(means)))
    yield oddest("the oddest sum of squares", draws, squares_odd)
    yield of_law("means of the learners", draws, np.sort(special.ndtr(averages)))


# --- neighbours


def neighbours(z: Floats32) -> Iterator[tuple[str, Floats32, Floats32]]:
    """Pairs of arrays of draws that stand side by side."""
    yield "learners", z[:, 1:], z[:, :-1]
    yield "replicas", z[:, :, 1:], z[:, :, :-1]
    if z.shape[-1] > 1:
        yield "a pair", *pair(z)
        yield "dimensions", z[..., 1:], z[..., :-1]
    if z.shape[-1] > 2:
        yield "dimensions, lag 2", z[..., 2:], z[..., :-2]
    for lag in (1, 2, 7):
        yield f"steps, lag {lag}", z[lag:], z[:-lag]
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
    found += [*rows(z, draws), *pairs(z, draws)]
    for name, a, b in neighbours(z):
        found += dependence(name, a, b, draws)
    return found


def of_layout(name: str, draws: int, seed: int) -> tuple[list[Finding], NDArray[np.int64], int]:
    """Two seeds and two purposes of a layout: findings, and tails and number of all its draws."""
    seed += 2 * list(LAYOUTS).index(name)  # other layouts would arrange the same numbers anew
    cases = list(product((seed, seed + 1), PURPOSES))
    sets = [drawn(name, draws, *case) for case in cases]
    found: list[Finding] = []
    for z, (s, p) in zip(sets, cases, strict=True):
        found += examined(z, name if z is sets[0] else f"{name}, {s}, {p.name}")
    found += dependence("purposes", sets[0], sets[1], name)
    found += dependence("seeds", sets[0], sets[2], name)
    return found, np.sum([tail_counts(z) for z in sets], axis=0), sum(z.size for z in sets)


def examine(law: str, draws: int, seed: int) -> list[Finding]:
    """Print the tables of a law; all its findings."""
    layouts = LAWS[law]
    of_layouts = [of_layout(name, draws, seed) for name in layouts]
    findings = [finding for found, _, _ in of_layouts for finding in found]
    size = sum(size for _, _, size in of_layouts)
    counts = np.sum([counts for _, counts, _ in of_layouts], axis=0)
    together = list(tails(counts, size, "all draws"))
    print("\n".join([f"{law}, {size} draws", *table(findings, tuple(layouts)), ""]))
    print("\n".join([*table(together, ("all draws",)), ""]))
    return findings + together


def main(draws: int = 5_000_000, seed: int = 1) -> int:
    """Print the tables and the verdict; how many tests were rejected."""
    names = " and ".join(purpose.name for purpose in PURPOSES)
    print(f"{draws} draws a time: {len(LAYOUTS)} layouts, 2 seeds each from {seed} on,")
    print(f"purposes {names}; shown: the first seed and purpose of each; in brackets,")
    print("standard errors\n")
    findings = [finding for law in LAWS for finding in examine(law, draws, seed)]
    lines, rejected = verdict(findings)
    print("\n".join(lines))
    return rejected


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
