"""What a test found, many of them as one table, and one verdict by Holm's rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from kavg.analysis.holm import adjust_p_values
from kavg.base import Floats

LEVEL = 1e-3
"""The probability that the verdict over a whole table is wrong about flawless noise."""


@dataclass(frozen=True)
class Finding:
    """A quantity of some draws: what to show of it, and its two-sided p-value."""

    quantity: str
    draws: str
    shown: str
    p: float


def normal(quantity: str, draws: str, value: float, error: float) -> Finding:
    """A value of mean 0 with a known standard error, normal by the central limit theorem."""
    shown = f"{value:+.1e} ({value / error:+.1f})"
    return Finding(quantity, draws, shown, float(2 * special.ndtr(-abs(value / error))))


def chi_square(quantity: str, draws: str, value: float, freedom: int) -> Finding:
    """A sum of squares of standard normals; too small counts like too large."""
    p = 2 * min(stats.chi2.sf(value, freedom), stats.chi2.cdf(value, freedom))
    return Finding(quantity, draws, f"{value:.0f} of {freedom}", float(p))


def oddest(quantity: str, draws: str, p: Floats) -> Finding:
    """The least of many independent p-values, as one p-value."""
    least = -np.expm1(len(p) * np.log1p(-min(float(p.min()), 1 - 1e-16)))
    return Finding(quantity, draws, f"p = {least:.3f}", float(least))


def of_law(quantity: str, draws: str, probabilities: Floats) -> Finding:
    """Kolmogorov and Smirnov's test of ``F(x)``, in ascending order, against the uniform law."""
    n = len(probabilities)
    steps = np.arange(n + 1) / n
    distance = max((steps[1:] - probabilities).max(), (probabilities - steps[:-1]).max())
    p = float(stats.kstwo.sf(distance, n))
    return Finding(quantity, draws, f"p = {p:.3f}", p)


def table(findings: Sequence[Finding], columns: Sequence[str]) -> list[str]:
    """A line a quantity: what the columns' draws show of it, and its least p of all draws."""
    head = [f"{column:>20}" for column in columns] + [f"{'least p of all':>16}"]
    lines = [f"{'':30}" + "".join(head)]
    for quantity in dict.fromkeys(finding.quantity for finding in findings):
        rows = [finding for finding in findings if finding.quantity == quantity]
        # Of several findings on the same draws the worst comes last, and stays.
        shown = {row.draws: row.shown for row in sorted(rows, key=lambda row: -row.p)}
        cells = [f"{shown.get(column, '-'):>20}" for column in columns]
        least = f"{min(row.p for row in rows):.1e} of {len(rows):2}"
        lines.append(f"{quantity:30}" + "".join(cells) + f"{least:>16}")
    return lines


def verdict(findings: Sequence[Finding]) -> tuple[list[str], int]:
    """What Holm's rule says of all p-values at once, and how many tests it rejects."""
    p = np.array([finding.p for finding in findings])
    adjusted = adjust_p_values(p)
    rejected = [f for f, q in zip(findings, adjusted, strict=True) if q <= LEVEL]
    lines = [
        f"{len(p)} tests: {np.sum(p < 0.01)} with p < 0.01 ({len(p) * 0.01:.0f} expected),"
        f" the least {p.min():.1e}, by Holm's rule {adjusted.min():.2g}",
        *(f"REJECTED {f.quantity}, {f.draws}: {f.shown}, p = {f.p:.1e}" for f in rejected),
        f"{len(rejected)} rejected at level {LEVEL:g} over the whole table",
    ]
    return lines, len(rejected)
