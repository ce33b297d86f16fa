"""Errors in the combination of settings that are valid one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kavg.base import Objective, Oracle
from kavg.config.config import Config
from kavg.config.sizes.counts import (
    check_gradient_count,
    check_staleness,
    check_step_count,
    check_whole_blocks,
)
from kavg.config.sizes.memory_estimates import (
    check_batch_memory,
    check_data_memory,
    check_kept_memory,
    check_measures,
    check_point_memory,
    check_record_memory,
    check_round_memory,
)
from kavg.errors import KavgError
from kavg.oracles import UnlikeFunctions
from kavg.problem import Problem


def consistency_errors(config: Config) -> list[str]:
    """Return the errors that would stop a run of these settings; runs no round.

    The objective is evaluated once, and the oracle is planned for one learner, unless the estimates
    of memory are too large.

    >>> from kavg import Algorithm, objectives, oracles, outer
    >>> method = Algorithm(P=2, K=1, gamma=0.1, outer=outer.Averaging())
    >>> config = Config(1, objectives.Linear(dim=1), oracles.MiniBatch(B=4), (method,))
    >>> consistency_errors(config)  # doctest: +ELLIPSIS
    ['oracle: mini-batches need an objective over examples, got Linear; use additive noise ...']
    """
    errors: list[str] = []
    problem, algorithms, R = config.problem, config.algorithms, config.replicas
    with collect_error(errors, "objective"):
        _check_objective(problem.objective)
    if errors:  # nothing else can be checked without an objective
        return errors
    with collect_error(errors, "start"):
        _require_finite_start(problem, config.seed)
    with collect_error(errors, "algorithm"):
        check_whole_blocks(algorithms, config.rounds)
    for one in algorithms:
        with collect_error(errors, "replicas"):
            check_round_memory(problem.objective, one, R)
        with collect_error(errors, "algorithm"):
            check_kept_memory(problem.objective, one, R, config.dtype)
    # Algorithms differ in K, gamma and other parts too, none of which matters to batches.
    for P in dict.fromkeys(algorithm.P for algorithm in algorithms):
        with collect_error(errors, "oracle"):
            _check_function(problem.oracle)
            check_batch_memory(problem, P, R)
            # One learner and one replica: the memory of the others is estimated, not allocated.
            problem.oracle.plan(problem.objective, seed=config.seed, P=P, R=1, tile=1)
    if not errors:
        with collect_error(errors, "record"):
            record, series = config.record, len(config.record.series)
            check_record_memory(config.rounds, record.every, len(algorithms), R, series)
            check_measures(problem, algorithms, record, R)
        with collect_error(errors, "algorithm"):
            B = problem.noise.B
            check_gradient_count(algorithms, config.rounds, B)
            check_step_count(algorithms, config.rounds, problem.oracle)
        with collect_error(errors, "algorithm"):
            check_staleness(algorithms, config.rounds)
    return list(dict.fromkeys(errors))


@contextmanager
def collect_error(errors: list[str], place: str) -> Iterator[None]:
    """Append an error raised inside the ``with`` block to ``errors``, with its place in front."""
    try:
        yield
    except KavgError as error:
        errors.append(f"{place}: {error}")
    except (MemoryError, OverflowError, ValueError) as error:
        # NumPy raises these for an array that no computer could hold.
        errors.append(f"{place}: is too large: {error}")


def _check_objective(objective: Objective) -> None:
    check_data_memory(objective)
    check_point_memory(objective)
    # What is not finite is reported at the start of the run, once.
    with np.errstate(all="ignore"):
        objective.value(np.zeros(objective.dim))


def _check_function(oracle: Oracle) -> None:
    """Raise ``KavgError`` if the function that learners differ by does not fit in memory."""
    if isinstance(oracle, UnlikeFunctions):
        check_data_memory(oracle.function)
        check_point_memory(oracle.function)


def _require_finite_start(problem: Problem, seed: int) -> None:
    objective, w = problem.objective, problem.first_iterate(seed, 1)
    with np.errstate(all="ignore"):
        F, g = objective.value(w), objective.grad(w, np.empty_like(w))
        if not np.isfinite([*F, *np.vecdot(g, g)]).all():
            raise KavgError(f"F or its gradient is not finite there, F={F[0]}; start nearer to 0")
