"""Periods that change: post-local SGD, and K that grows as the step size falls.

Eight learners on a quadratic, each table beside the exact moments where K is known before the run.
Run it with ``python experiments/methods/periods.py post-local`` or ``... qsr``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from math import sqrt
from typing import Final

import numpy as np

from kavg import Algorithm, Problem, outer, periods, schedules, simulate
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.base import Floats, Period
from kavg.objectives import Quadratic
from kavg.oracles import Gaussian

PROBLEM: Final = Problem(Quadratic((0.1, 0.2, 0.5, 1.0)), Gaussian(sigma2=4.0), start=1.0)
P, R, SEED = 8, 64, 1

STEPS: Final = 480
POST_LOCAL: Final[Mapping[str, tuple[int | Period, int]]] = {
    "synchronous SGD": (1, 480),
    "local SGD": (8, 60),
    "post-local SGD": (periods.PiecewisePeriod(Ks=(1, 8), boundaries=(240,)), 270),
}
"""Periods with the rounds in which a learner takes ``STEPS`` local steps."""

STAGE: Final = 50
FALLING: Final = schedules.Piecewise((0.02, 0.01, 0.005, 0.0025), (STAGE, 2 * STAGE, 3 * STAGE))
GROWING: Final[Mapping[str, int | Period]] = {
    "K = 8": 8,
    "QSR": periods.QuadraticSynchronization(alpha=0.02 * sqrt(2)),
    "cubic": periods.QuadraticSynchronization(alpha=0.02 * 2 ** (1 / 3), power=3),
    "control": periods.DispersionControl(spread=0.006, first=2),
}


def method(K: int | Period, gamma: float | schedules.Piecewise) -> Algorithm:
    """Return averaging with a period."""
    return Algorithm(P, K, gamma, outer.Averaging())


def format_mean(values: Floats) -> str:
    """Return the mean of the replicas with its standard error."""
    return f"{values.mean():.4f} ± {values.std(ddof=1) / len(values) ** 0.5:.4f}"


def post_local_table() -> str:
    """Return post-local SGD beside what it is made of, at equal gradients."""
    head = "method | local steps | averagings | exact F | F of runs | exact dispersion | of runs"
    lines = [f"| {head} |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, (K, rounds) in POST_LOCAL.items():
        algorithm = method(K, 0.1)
        exact = exact_trajectory(PROBLEM, algorithm, rounds)
        run = simulate(PROBLEM, algorithm, rounds=rounds, replicas=R, seed=SEED, every=rounds)
        cells = [name, f"{run.steps[-1]}", f"{rounds}"]
        for quantity in ("F", "dispersion"):
            cells += [f"{exact.series[quantity][-1]:.4f}", format_mean(run.series[quantity][-1])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def growing_table() -> str:
    """Return K and the dispersion at the end of each stage of a falling step size."""
    cells = " | ".join(f"{name} | 1000 D" for name in GROWING)
    lines = [f"| gamma | {cells} |", f"|--:{'|--:' * 2 * len(GROWING)}|"]
    runs = {
        name: simulate(PROBLEM, method(K, FALLING), rounds=4 * STAGE, replicas=R, seed=SEED)
        for name, K in GROWING.items()
    }
    for stage in range(4):
        last = slice(stage * STAGE + STAGE // 2, (stage + 1) * STAGE + 1)
        cells = " | ".join(
            f"{int(np.median(run.periods[last]))} | {1e3 * run.dispersion[last].mean():.2f}"
            for run in runs.values()
        )
        lines.append(f"| {FALLING(stage * STAGE + 1):g} | {cells} |")
    steps = " | ".join(f"{run.steps[-1] / len(run.rounds[1:]):.1f} | " for run in runs.values())
    return "\n".join([*lines, f"| steps a round | {steps} |"])


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "post-local": post_local_table,
    "qsr": growing_table,
}

if __name__ == "__main__":
    sys.stdout.write(TABLES[sys.argv[1]]() + "\n")
