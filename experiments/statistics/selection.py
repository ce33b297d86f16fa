"""The bias of choosing the best of a grid and judging it on the same noise.

``python experiments/statistics/selection.py [DRAWS]`` tunes K-AVG (24 step sizes) and M-AVG (9 step
sizes by 6 momenta) on R replicas, reports each winner's 95 % interval from the same replicas and
from R fresh ones, and counts how often it covers the true mean of that winner.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from populations import SEED, valley

import kavg
from kavg.analysis.estimate import Estimate
from kavg.analysis.selection import judge_selection

Floats = NDArray[np.float64]
POOL, ROUNDS = 2000, 30
SIZES = (4, 8, 16, 32)
LEVEL = 0.95
METHODS = ("K-AVG", "M-AVG")
MOMENTA = (0.3, 0.5, 0.7, 0.85, 0.93, 0.97)


@dataclass(frozen=True, eq=False)
class Grid:
    """A method's trials: ``values (m, POOL)`` of its quantity at the end."""

    name: str
    values: Floats


@dataclass(frozen=True)
class Bias:
    """What one way of judging gives: coverage, and the mean error of the winner relative to it."""

    grid: str
    R: int
    fresh: bool
    held: int
    draws: int
    bias: float

    @property
    def share(self) -> float:
        """The coverage."""
        return self.held / self.draws


def problems() -> dict[str, kavg.Problem]:
    """A noise-limited quadratic and a double well."""
    wells = kavg.Problem(kavg.objectives.DoubleWell(dim=2), kavg.oracles.Gaussian(0.5), 0.3)
    return {"quadratic": valley(), "double well": wells}


def trials(method: str) -> list[kavg.Algorithm]:
    """The grid of a method."""
    if method == "K-AVG":
        steps = [2.0 ** (-6 + i / 4) for i in range(24)]
        return [kavg.Algorithm(4, 4, step, kavg.outer.Averaging()) for step in steps]
    return [
        kavg.Algorithm(4, 4, 2.0**i * (1 - mu), kavg.outer.BlockMomentum(mu))
        for i in range(-8, 1)
        for mu in MOMENTA
    ]


@cache
def tuned(problem: str, method: str, pool: int = POOL) -> Grid:
    """The squared gradient of each trial after the last round; replicas of all share their noise.

    It is infinite for a trial that diverged.
    """
    rows = []
    for one in trials(method):
        run = kavg.simulate(
            problems()[problem], one, rounds=ROUNDS, replicas=pool, seed=SEED, every=ROUNDS
        )
        diverged = run.diverged_at is not None
        rows.append(np.full(pool, np.inf) if diverged else run.grad_norm2[-1])
    return Grid(method, np.array(rows))


def study(grid: Grid, R: int, draws: int) -> Iterator[Bias]:
    """Choose and judge ``draws`` times: on the same replicas, and on fresh ones."""
    random = np.random.default_rng(SEED)
    truth = grid.values.mean(axis=1)
    found = []
    for _ in range(draws):
        rows = random.permutation(grid.values.shape[1])[: 2 * R]
        found.append(judge_selection(grid.values[:, rows[:R]], grid.values[:, rows[R:]], LEVEL))
    true = np.array([truth[one.trial] for one in found])
    for fresh in (False, True):
        judged = [one.judged if fresh else one.apparent for one in found]
        held = sum(map(covers, judged, true))
        errors = np.array([float(one.mean) for one in judged]) / true - 1
        yield Bias(grid.name, R, fresh, held, draws, float(errors.mean()))


def covers(interval: Estimate, truth: float) -> bool:
    """True if the interval holds the truth."""
    return bool(interval.low <= truth <= interval.high)


def main(draws: int) -> None:
    """Print the tables."""
    print(f"the winner's own mean: coverage of a 95 % interval, and relative bias; {draws} draws,")
    print(f"seed {SEED}\n")
    for problem in problems():
        print(f"{problem:<14}{'same replicas':>20}{'fresh replicas':>20}")
        for method in METHODS:
            grid = tuned(problem, method)
            for R in SIZES:
                same, fresh = study(grid, R, draws)
                cells = (f"{one.share:>9.3f} {100 * one.bias:>+8.1f} %" for one in (same, fresh))
                print(f"{grid.name} of {len(grid.values)}, R {R:<4}" + "".join(cells), flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
