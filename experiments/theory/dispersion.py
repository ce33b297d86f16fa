"""Bits that a dispersion loses as a difference of squares, and how far ordinary runs lose any.

``python experiments/theory/dispersion.py`` prints a table: for a ratio of ``2^k`` between the mean
square of the displacements and their dispersion, the largest relative error of the difference
against rational arithmetic, and the rounds and replicas of the quickstart and of the first
algorithms of the digits whose squares have a ratio above ``2^k``.  ``kavg.engine.dispersion`` takes
a second pass from ``LOST_BITS`` on.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

import kavg
from kavg.base import Floats
from kavg.config import load_config
from kavg.engine.exact_mean import ExactMean
from kavg.engine.means import displacement_buffer
from kavg.outer import BlockMomentum
from kavg.problem import Algorithm

KS = (6, 10, 13, 16)
DRAWS, P = 32, 16
EXPERIMENTS = Path(__file__).parent.parent
RUNS = ((EXPERIMENTS / "quickstart.toml", 200, 2), (EXPERIMENTS / "digits" / "digits.toml", 60, 4))
"""Settings, rounds and algorithms that are run."""


def main() -> None:
    """Print the table."""
    ratios = np.concatenate([ratio for run in RUNS for ratio in ratios_of(*run)])
    print("| k | error, d = 4 | d = 100 | second passes, quickstart and digits |")
    print("|--:|--:|--:|--:|")
    for k in KS:
        small, large = largest_error(k, 4), largest_error(k, 100)
        passes = int(np.count_nonzero(ratios > 2.0**k))
        print(f"| {k} | {small:.1e} | {large:.1e} | {passes} of {len(ratios):,} |")
    print(f"\nThe largest loss there: {np.log2(ratios.max()):.2f} bits.")


def largest_error(k: int, d: int) -> float:
    """Return the largest relative error of the difference over ``DRAWS`` sets of learners."""
    random = np.random.default_rng([k, d])
    return max(relative_error(draw_displacements(random, k, d)) for _ in range(DRAWS))


def draw_displacements(random: np.random.Generator, k: int, d: int) -> Floats:
    """Draw ``(P, d)`` with a mean square of some ``2^k`` dispersions."""
    spread = random.standard_normal((P, d)) / d**0.5
    direction = random.standard_normal(d)
    shift: Floats = direction * (2.0**k / np.vecdot(direction, direction)) ** 0.5
    return spread + shift


def relative_error(x: Floats) -> float:
    """Return the relative error of the difference of squares of displacements ``(P, d)``."""
    buffer = displacement_buffer(P, 1, x.shape[1])
    buffer[..., :-1] = x[:, None]
    mean = ExactMean(kavg.SerialComm(), P, 1, x.shape[1])
    mean.begin(mean.first_exponents(4 * buffer[:1]))
    mean.fold(buffer)
    if not mean.finish():
        raise RuntimeError("a learner was beyond the grid")
    difference = float(mean.square[0] - np.vecdot(mean.mean, mean.mean)[0])
    exact = exact_dispersion(x)
    return float(abs(Fraction(difference) - exact) / exact)


def exact_dispersion(x: Floats) -> Fraction:
    """Return ``(1/P) sum_j ||x_j - mean||^2`` in rational arithmetic."""
    total = Fraction(0)
    for column in x.T.tolist():
        values = [Fraction(value) for value in column]
        mean = sum(values, Fraction(0)) / P
        total += sum(((value - mean) ** 2 for value in values), Fraction(0))
    return total / P


def ratios_of(path: Path, rounds: int, algorithms: int) -> Iterator[Floats]:
    """Yield mean square over dispersion, of all replicas, for each round of each algorithm."""
    config = load_config(path)
    for algorithm in config.algorithms[:algorithms]:
        mu = algorithm.outer.mu if isinstance(algorithm.outer, BlockMomentum) else None
        yield from _ratios_of_run(config, algorithm, mu, rounds)


def _ratios_of_run(
    config: kavg.config.Config, algorithm: Algorithm, mu: float | None, rounds: int
) -> Iterator[Floats]:
    run = kavg.meta_iterations(
        config.problem, algorithm, replicas=config.replicas, seed=config.seed, dtype=config.dtype
    )
    before = next(run)
    for now in islice(run, rounds):
        displacement = now.w - before.w if mu is None else now.v - mu * before.v
        yield 1 + np.vecdot(displacement, displacement) / now.dispersion
        before = now


if __name__ == "__main__":
    main()
