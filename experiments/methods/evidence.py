"""The table of methods and what is known of each: laws, ranks, resume, moments, numbers, cost.

    PYTHONPATH=.:tests python experiments/methods/evidence.py

Rows are the methods of ``tests/helpers/methods.py``.  Cells are outcomes of the tests, which run
here, and what is computed and timed here; nothing is written by hand.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import against_torch
import numpy as np
import pytest
from helpers.method_reference import largest_difference
from helpers.methods import METHODS

from experiments.benchmarks.contestants.kavg_contestant import Ours
from experiments.benchmarks.ratios import spread
from experiments.benchmarks.timing import cpu_stopwatch, interleaved
from experiments.benchmarks.workloads import Workload, double_well
from kavg import Algorithm, KavgError, Problem, objectives, oracles, outer, simulate
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.engine.learners import count_steps

ROOT: Final = Path(__file__).parents[2]
FILES: Final = (
    "tests/properties/test_method_laws.py",
    "tests/mpi/test_methods_on_ranks.py",
)
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "laws": ("test_law_1_", "test_law_2_", "test_law_3_", "test_law_7_"),
    "ranks": ("test_one_digest_on_any_number_of_ranks",),
    "resume": (
        "test_law_8_", "test_states_of_rounds", "test_runs_are_stored", "test_a_run_of_two_ranks",
    ),
}  # fmt: skip
"""Columns of outcomes, by how the tests' names begin."""
ROUNDS, REPLICAS = 10, 1024
REPETITIONS, LEAST = 7, 0.05


class Outcomes:
    """A plugin of pytest that counts the tests of each method and column, and those that passed."""

    def __init__(self) -> None:
        self.places: dict[str, tuple[str, str]] = {}
        self.all: Counter[tuple[str, str]] = Counter()
        self.passed: Counter[tuple[str, str]] = Counter()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Note the method and the column of each test."""
        for item in items:
            name = getattr(item, "callspec", None) and item.callspec.params.get("name")
            for column, begins in COLUMNS.items():
                if name in METHODS and item.name.startswith(begins):
                    self.places[item.nodeid] = (name, column)
                    self.all[name, column] += 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test that passed."""
        if report.when == "call" and report.passed and report.nodeid in self.places:
            self.passed[self.places[report.nodeid]] += 1

    def cell(self, name: str, column: str) -> str:
        """Return how many passed, and of how many if not all did."""
        passed, everyone = self.passed[name, column], self.all[name, column]
        return f"{passed}" if passed == everyone else f"{passed} of {everyone}"


def run_tests() -> Outcomes:
    """Run the tests; their report goes to stderr, as the table goes to stdout."""
    outcomes = Outcomes()
    # Tests start programs in other folders.
    paths = [str(Path(each).resolve()) for each in sys.path]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(["-q", *(str(ROOT / file) for file in FILES)], plugins=[outcomes])
    return outcomes


def moments(algorithm: Algorithm) -> str:
    """Return the largest distance of a run's mean of F from its exact one, in standard errors."""
    bowl = Problem(objectives.Quadratic((0.25, 1.0)), oracles.Gaussian(sigma2=1.0), start=2.0)
    try:
        exact = exact_trajectory(bowl, algorithm, ROUNDS)
    except KavgError:
        return ""
    F = simulate(bowl, algorithm, rounds=ROUNDS, replicas=REPLICAS, seed=1).F[1:]
    errors = F.std(axis=1, ddof=1) / np.sqrt(REPLICAS)
    return f"{np.abs((F.mean(axis=1) - exact.F[1:]) / errors).max():.1f}"


def numbers(name: str) -> str:
    """Return the largest difference from PyTorch's path, or from that of the transcription."""
    algorithm = METHODS[name]
    for known, other in against_torch.methods().items():
        if parts(other) == parts(algorithm):
            return f"torch {against_torch.difference(known, other):.0e}"
    return f"{largest_difference(algorithm):.0e}"


def parts(algorithm: Algorithm) -> tuple[object, ...]:
    """Return what makes two algorithms one method: kinds, treatments, and which numbers count."""
    of = (algorithm.optimizer, algorithm.aggregation, algorithm.outer, algorithm.K)
    kinds = tuple(getattr(part, "kind", None) for part in of)
    optimizer = algorithm.optimizer
    is_clipped = getattr(optimizer, "clip", None) is not None
    has_decay = getattr(optimizer, "weight_decay", 0.0) > 0
    has_step = getattr(algorithm.outer, "alpha", 1.0) != 1.0
    has_mean = getattr(algorithm.outer, "beta1", 0.0) > 0
    flags = (is_clipped, has_decay, has_step, has_mean)
    return (*kinds, optimizer.at_average, algorithm.restart is not None, *flags)


def costs() -> dict[str, float]:
    """Return the time of each method's rounds over that of plain SGD, medians of CPU time."""
    of = double_well("cost", P=1, K=1, R=16, d=1000)
    plain = "plain SGD"
    everyone = {plain: Algorithm(5, 3, 0.05, outer.Averaging())} | dict(METHODS)
    rounds = {name: timed_rounds(of, each) for name, each in everyone.items()}
    seconds, _ = interleaved(rounds, REPETITIONS, LEAST, clock=cpu_stopwatch)
    per_step = {
        name: (np.array(seconds[name]) / mean_steps(everyone[name], rounds[name])).tolist()
        for name in everyone
    }
    return {name: spread(per_step[name], per_step[plain]).median for name in METHODS}


def mean_steps(algorithm: Algorithm, rounds: Ours) -> float:
    """Return the local steps of all learners a round, in the rounds so far."""
    return algorithm.P * count_steps(algorithm, rounds.last.state) / rounds.last.n


def timed_rounds(workload: Workload, algorithm: Algorithm) -> Ours:
    """Return rounds of a method on the problem of a workload."""
    return Ours(replace(workload, algorithm=algorithm))


def main() -> int:
    """Print the table; 1 if a test failed."""
    outcomes = run_tests()
    cost = costs()
    print("| method | laws | ranks | resume | exact moments | path | cost |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, algorithm in METHODS.items():
        tests = [outcomes.cell(name, column) for column in COLUMNS]
        cells = [name, *tests, moments(algorithm), numbers(name), f"{cost[name]:.2f}"]
        print(f"| {' | '.join(cells)} |")
    return int(outcomes.all != outcomes.passed)


if __name__ == "__main__":
    sys.exit(main())
