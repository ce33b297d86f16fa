"""Faults that show only when the parts of a settings file meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from kavg.base import Objective
from kavg.config.memory_estimates import (
    check_batches,
    check_built,
    check_counts,
    check_learners,
    check_point,
    check_record,
)
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem


def misfits(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    seed: int,
    *,
    rounds: int = 1,
    replicas: int = 1,
    every: int = 1,
) -> list[str]:
    """What would stop a run of these parts, found before any work is done.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Linear(dim=1), oracles.MiniBatch(B=4))
    >>> method = Algorithm(P=2, K=1, gamma=0.1, outer=outer.Averaging())
    >>> misfits(problem, [method], seed=0)  # doctest: +ELLIPSIS
    ['oracle: mini-batches need an objective over examples, got Linear; use additive noise ...']
    """
    found: list[str] = []
    attempt(found, "objective", lambda: check_objective(problem.objective))
    if found:
        return found
    attempt(found, "start", lambda: check_start(problem, seed))
    for P in dict.fromkeys(algorithm.P for algorithm in algorithms):
        attempt(found, "replicas", partial(check_learners, problem.objective, P, replicas))
        attempt(found, "oracle", partial(plan, problem, seed, P, replicas))
    if not found:
        attempt(found, "record", lambda: check_record(rounds, every, len(algorithms), replicas))
        B = problem.oracle.constants(problem.objective).B
        attempt(found, "algorithm", lambda: check_counts(algorithms, rounds, B))
    return list(dict.fromkeys(found))


def check_objective(objective: Objective) -> None:
    """Refuse what cannot be made, or not evaluated."""
    check_built(objective)
    check_point(objective)
    objective.value(np.zeros(objective.dim))


def plan(problem: Problem, seed: int, P: int, R: int) -> None:
    """Plan the oracle for one learner of P, where there is room for all of them."""
    check_batches(problem, P, R)
    problem.oracle.plan(problem.objective, seed=seed, P=P, R=1, tile=1)


def check_start(problem: Problem, seed: int) -> None:
    """Refuse a start from where nothing can be measured."""
    objective, w = problem.objective, problem.first_iterate(seed, 1)
    with np.errstate(all="ignore"):
        F, g = objective.value(w), objective.grad(w, np.empty_like(w))
        if not np.isfinite([*F, *np.vecdot(g, g)]).all():
            raise KavgError(f"F or its gradient is not finite there, F={F[0]}; start nearer to 0")


def attempt(found: list[str], place: str, action: Callable[[], Any]) -> None:
    """Note a fault of ``action`` under the place it belongs to."""
    try:
        action()
    except KavgError as fault:
        found.append(f"{place}: {fault}")
    except (MemoryError, OverflowError, ValueError) as fault:
        # NumPy's words for an array that no computer could hold.
        found.append(f"{place}: is too large: {fault}")
