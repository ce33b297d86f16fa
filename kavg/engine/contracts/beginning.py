"""What is checked before the first round of a run: states that are given, and user code."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import as_array, freeze, own_array
from kavg.base import AdaptivePeriod, Floats
from kavg.base.outer_rules import memory_shape
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.contracts.calls import LARGE
from kavg.engine.contracts.objectives import check_objective
from kavg.engine.contracts.oracles import check_draws
from kavg.engine.contracts.outer_rules import check_outer
from kavg.engine.options import RunOptions
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import State

TRIED_REPLICAS: Final = 2
"""Replicas of a trial, where the model is not large."""


def check_user_code(
    problem: Problem, algorithm: Algorithm, options: RunOptions, state: State, *, is_new: bool
) -> tuple[Floats, list[str]]:
    """Check a problem and an algorithm at the state that the next round begins from.

    Returns a learner's stochastic gradient near it, for ``compare_with_plan``, and suspicions in
    words.  A new run's random start is checked as well.  Every rank makes the same calls, so that
    what one of them finds is found by all.

    Raises ``KavgError`` if a contract is broken.
    """
    gamma = _check_schedule(algorithm, state.n + 1)
    w = state.w[0]
    step = algorithm.sum_local_steps(state.n) if state.steps is None else state.steps
    with limit_blas_to_one_thread(), np.errstate(all="ignore"):
        if is_new:
            _require_prefix_start(problem, options, state.w)
        R = min(options.replicas, TRIED_REPLICAS)
        suspicions = check_objective(problem.objective, w, options.dtype, R)
        _check_rule(algorithm, state, gamma)
        drawn = check_draws(
            problem, w, seed=options.seed, P=algorithm.P, step=step, dtype=options.dtype
        )
    return drawn, suspicions


def check_algorithm(algorithm: Algorithm, state: State) -> None:
    """Check the schedule and the outer rule of one more algorithm at a state.

    Raises ``KavgError`` if a contract is broken.
    """
    gamma = _check_schedule(algorithm, state.n + 1)
    with limit_blas_to_one_thread(), np.errstate(all="ignore"):
        _check_rule(algorithm, state, gamma)


def _check_rule(algorithm: Algorithm, state: State, gamma: float) -> None:
    rows = slice(TRIED_REPLICAS if state.w[0].size < LARGE else 1)
    v = state.v[rows] if state.v.ndim > 1 else state.v
    check_outer(algorithm.outer, state.w[rows], v, gamma)


def _check_schedule(algorithm: Algorithm, n: int) -> float:
    gamma = algorithm.step_size(n)
    again = algorithm.step_size(n)
    if gamma != again:
        raise KavgError(
            f"gamma must be a function of the round alone, got {gamma!r}, then {again!r} for round "
            f"{n}; a schedule keeps no state and draws nothing"
        )
    _check_period_function(algorithm, n)
    return gamma


def _check_period_function(algorithm: Algorithm, n: int) -> None:
    if not callable(algorithm.K):
        return
    nothing = freeze(np.zeros(1))
    finds: dict[str, Callable[[], int | None]] = {
        "round and step size": lambda: algorithm.count_local_steps(n),
        "K, dispersion and step size": lambda: algorithm.adapt_period(n, 1, nothing),
    }
    for what, find in finds.items():
        if (K := find()) != (again := find()):
            raise KavgError(
                f"K must be a function of {what} alone, got {K}, then {again} in round {n}; a "
                "period keeps no state and draws nothing"
            )


def _require_prefix_start(problem: Problem, options: RunOptions, w: Floats) -> None:
    """Check that the first replica's start does not depend on how many there are."""
    if not np.array_equal(problem.first_iterate(options.seed, 1), w[:1]):
        raise KavgError(
            f"{type(problem.start).__name__}.draw must give the first replicas the same start "
            f"whatever R is, got another with R = 1 than with R = {len(w)}; draw from a generator "
            "seeded by [seed, replica], one replica after another"
        )


def own_state(state: State, problem: Problem, algorithm: Algorithm, R: int) -> State:
    """Return a state with arrays of its own, which nobody else can change.

    Raises ``KavgError`` if it is not one of this problem and algorithm with ``R`` replicas.
    """
    shape = (R, problem.dim)
    v_shape = memory_shape(algorithm.outer, *shape)
    try:
        n = operator.index(state.n)
        w, v = _own_numbers("w", state.w, "fiu"), _own_numbers("v", state.v, "fiu")
        # A run with a plain mean leaves none.
        has_grids = state.exponents is not None and np.size(state.exponents) > 0
        exponents = _own_numbers("exponents", state.exponents, "iu") if has_grids else None
        steps, K = (None if one is None else operator.index(one) for one in (state.steps, state.K))
        slots = None if state.slots is None else _own_slots(state.slots)
    except (AttributeError, TypeError, ValueError) as error:
        raise KavgError(
            f"state must be a State(n, w, v, exponents) of numbers, got {type(state).__name__}: "
            f"{error}; use the state of a Round"
        ) from error
    fits = n >= 0 and w.shape == shape and v.shape == v_shape and np.isfinite(w).all()
    rows = R * (1 + (algorithm.optimizer.slots if _averages_slots(algorithm) else 0))
    if not fits or (exponents is not None and exponents.shape != (rows,)):
        raise KavgError(
            f"state must have n >= 0, finite w {shape}, v {v_shape} and exponents ({rows},) or "
            f"None, got n = {n}, w {w.shape}, v {v.shape} and exponents "
            f"{None if exponents is None else exponents.shape}; use the state of a Round of this "
            "problem and algorithm"
        )
    _check_local_state(algorithm, n, steps, K, slots, shape)
    if steps is None:
        steps = algorithm.sum_local_steps(n) if n > 0 else 0
    # Else a state of another method would give its K to the next round, and to no other.
    K = K if isinstance(algorithm.K, AdaptivePeriod) else None
    return State(n, w, v, exponents, steps, K, slots)


def _averages_slots(algorithm: Algorithm) -> bool:
    return algorithm.optimizer.slots > 0 and algorithm.optimizer.at_average == "averaged"


def _own_slots(given: object) -> Floats:
    slots = as_array(given, "slots")
    return own_array(slots, np.float32 if slots.dtype == np.float32 else np.float64)


def _check_local_state(
    algorithm: Algorithm,
    n: int,
    steps: int | None,
    K: int | None,
    slots: Floats | None,
    shape: tuple[int, int],
) -> None:
    """Raise ``KavgError`` unless there are slots where they are carried on."""
    kept = algorithm.learner_slots
    s = kept or algorithm.shared_slots
    fits = slots is None
    if n > 0 and algorithm.carries_slots:
        fits = slots is not None and slots.shape == (len(slots) if kept else 1, s, *shape)
    if not fits:
        raise KavgError(
            f"state must have slots (learners, {s}, {shape[0]}, {shape[1]}) if they are "
            "carried from round to round, and None otherwise, got "
            f"{None if slots is None else slots.shape}; use the state of a Round"
        )
    is_known = steps is not None and steps >= n and K is not None and K >= 1
    if isinstance(algorithm.K, AdaptivePeriod) and n > 0 and not is_known:
        raise KavgError(
            f"state must have steps from n = {n} on and K of at least 1, as K is adaptive, got "
            f"steps = {steps} and K = {K}; use the state of a Round"
        )


def _own_numbers(name: str, given: object, kinds: str) -> NDArray[Any]:
    array = as_array(given, name)
    if array.dtype.kind not in kinds:
        raise TypeError(f"numbers of type {array.dtype}")
    return own_array(array, np.float64 if "f" in kinds else np.int64)
