"""Faults that show only when the parts of a settings file meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kavg.base import Algorithm, KavgError, Problem
from kavg.starts import first_iterate


def misfits(problem: Problem, algorithms: Sequence[Algorithm], seed: int) -> list[str]:
    """What would stop a run of these parts, found before any work is done.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Linear(dim=1), oracles.MiniBatch(B=4))
    >>> method = Algorithm(P=2, K=1, gamma=0.1, outer=outer.Averaging())
    >>> misfits(problem, [method], seed=0)  # doctest: +ELLIPSIS
    ['oracle: mini-batches need an objective over examples, got Linear; use additive noise ...']
    """
    found: list[str] = []
    attempt(found, "objective", lambda: problem.objective.value(np.zeros(problem.objective.dim)))
    if found:
        return found
    attempt(found, "start", lambda: check_start(problem, seed))
    for P in dict.fromkeys(algorithm.P for algorithm in algorithms):
        attempt(found, "oracle", lambda: plan(problem, seed, P))  # noqa: B023 - at once
    return list(dict.fromkeys(found))


def plan(problem: Problem, seed: int, P: int) -> None:
    """Plan the oracle for one learner of P."""
    problem.oracle.plan(problem.objective, seed=seed, P=P, R=1, tile=1)


def check_start(problem: Problem, seed: int) -> None:
    """Refuse a start from where nothing can be measured."""
    objective, w = problem.objective, first_iterate(problem, seed, 1)
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
