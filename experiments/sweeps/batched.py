"""CPU time of points as one array axis against the same points one after another.

``python experiments/sweeps/batched.py`` prints two tables.  For each shape the CPU time of
``kavg.simulate`` for every point, that of ``kavg.simulate_batch`` for all, and the ratio, in both
precisions; every trajectory of a batch is compared with that of its point alone, to the last bit.
Then the nanoseconds of a coordinate and local step by the number of points in a batch.  Each time
is the least of several goes, in turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

import kavg
from kavg.base import Precision
from kavg.engine.batch import plan_batches, run_batch
from kavg.engine.options import RunOptions
from kavg.outer import BlockMomentum
from kavg.trajectory import Trajectory

GOES = 5
SIZES = (1, 2, 4, 8, 16, 50)
SIZED = ("cosine, d = 10, R = 8, P = 8, K = 8", "log-spectrum")
"""Points in a batch, and the beginnings of the names of the cases for which they are varied."""
MUS = tuple(np.linspace(0.0, 0.9, 10).tolist())
GAMMAS = tuple(np.geomspace(0.001, 0.05, 5).tolist())
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
DATA = kavg.Synthetic("classification", examples=512, features=20)


@dataclass(frozen=True)
class Case:
    """One row of the table: points of one problem, with their shape."""

    name: str
    problem: kavg.Problem
    points: tuple[kavg.Algorithm, ...]
    rounds: int
    replicas: int


def methods(P: int, Ks: Sequence[int], gammas: Sequence[float]) -> tuple[kavg.Algorithm, ...]:
    """Return every combination with every mu."""
    return tuple(
        kavg.Algorithm(P, K, gamma, BlockMomentum(mu)) for K in Ks for gamma in gammas for mu in MUS
    )


def cosine(d: int) -> kavg.Problem:
    """Return a cosine bowl with Gaussian noise."""
    return kavg.Problem(kavg.objectives.Cosine(dim=d), kavg.oracles.Gaussian(1.0), start=2.0)


def cases() -> Iterator[Case]:
    """Return the rows of the table."""
    for K in (1, 8, 20):
        name = f"cosine, d = 10, R = 8, P = 8, K = {K}, 5 gamma x 10 mu"
        yield Case(name, cosine(10), methods(8, [K], GAMMAS), 200 // K + 20, 8)
    name = "cosine, d = 100, R = 50, P = 8, 20 K x 10 mu, 10 rounds"
    yield Case(name, cosine(100), methods(8, range(1, 21), [0.01]), 10, 50)
    name = "cosine, d = 100,000, R = 1, P = 4, K = 4, 10 mu"
    yield Case(name, cosine(100_000), methods(4, [4], [0.01]), 3, 1)
    for name, objective in (
        ("log-spectrum quadratic", kavg.objectives.Quadratic(tuple(np.geomspace(1e-3, 1, 20)))),
        ("Rosenbrock", kavg.objectives.Rosenbrock()),
    ):
        problem = kavg.Problem(objective, kavg.oracles.Gaussian(1.0), start=0.5)
        shape = f"{name}, d = {problem.dim}, R = 32, P = 16, K = 4, 5 gamma x 10 mu"
        yield Case(shape, problem, methods(16, [4], np.geomspace(1e-4, 1e-3, 5)), 50, 32)
    logistic = kavg.objectives.LogisticRegression(DATA, alpha=0.05)
    problem = kavg.Problem(logistic, kavg.oracles.MiniBatch(B=16), start=0.0)
    name = "logistic, B = 16, d = 20, R = 16, P = 16, K = 4, 5 gamma x 10 mu"
    yield Case(name, problem, methods(16, [4], GAMMAS), 20, 16)


def time_turns(contestants: Sequence[Callable[[], object]], goes: int) -> list[float]:
    """Return the least CPU time of each, in turns; the first turn is not counted."""
    taken = np.full((goes + 1, len(contestants)), np.inf)
    for turn in taken:
        for i, run in enumerate(contestants):
            before = time.process_time()
            run()
            turn[i] = time.process_time() - before
    least: list[float] = taken[1:].min(axis=0).tolist()
    return least


def compare(case: Case, dtype: Precision, goes: int) -> tuple[float, float]:
    """Return the seconds alone and batched; raise if a trajectory has other bits."""

    def alone() -> list[Trajectory]:
        return [
            kavg.simulate(
                case.problem, point, rounds=case.rounds, replicas=case.replicas, dtype=dtype
            )
            for point in case.points
        ]

    def batched() -> list[Trajectory]:
        return kavg.simulate_batch(
            case.problem, case.points, rounds=case.rounds, replicas=case.replicas, dtype=dtype
        )

    for one, other in zip(alone(), batched(), strict=True):
        for name, values in one.series.items():
            assert np.array_equal(values, other.series[name]), f"{case.name}: {name} differs"
        assert np.array_equal(one.w, other.w), f"{case.name}: w differs"
    one, other = time_turns((alone, batched), goes)
    return one, other


def time_sizes(case: Case, sizes: Sequence[int], dtype: Precision, goes: int) -> list[float]:
    """Return the nanoseconds of a coordinate and step with at most so many points in a batch."""
    options = RunOptions(case.replicas, dtype=dtype)
    plans = [
        plan_batches(case.problem, case.points, case.rounds, options, most=most) for most in sizes
    ]
    first = case.points[0]
    steps = (
        len(case.points)
        * first.P
        * first.constant_K
        * case.rounds
        * case.replicas
        * case.problem.dim
    )
    runs = [lambda plan=plan: [run_batch(batch) for batch in plan] for plan in plans]
    return [1e9 * seconds / steps for seconds in time_turns(runs, goes)]


def main(goes: int = GOES) -> None:
    """Print the tables."""
    print("| points | float64, s: alone | batched | times | float32, s: alone | batched | times |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for case in cases():
        cells = [case.name]
        for dtype in PRECISIONS:
            alone, batched = compare(case, dtype, goes)
            cells += [f"{alone:.2f}", f"{batched:.2f}", f"{alone / batched:.1f}"]
        print("|", " | ".join(cells), "|", flush=True)
    print(f"\n| ns with so many points | {' | '.join(map(str, SIZES))} |")
    print(f"|---|{'--:|' * len(SIZES)}")
    for case in cases():
        for dtype in PRECISIONS if case.name.startswith(SIZED) else ():
            times = time_sizes(case, SIZES, dtype, goes)
            name = case.name.partition(", 5")[0]
            print(f"| {name}, {dtype} |", " | ".join(f"{ns:.1f}" for ns in times), "|", flush=True)


if __name__ == "__main__":
    main()
