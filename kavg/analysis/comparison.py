"""Comparison of runs with bounds: the bound's value, and its quantity on each replica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Final, final

import numpy as np

from kavg.analysis.applicability import (
    NotApplicable,
    check_applicability,
    estimated_constants,
    gather_constants,
    make_setting,
)
from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.base import Constant, Floats
from kavg.errors import KavgError
from kavg.portability import ARITHMETIC
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count, check_range
from kavg.trajectory import Trajectory
from kavg.validation import find_mismatch

_ROUNDING: Final = 1e-12
"""How far below ``f_star`` rounding may put F at a minimum, relative to its size."""


@final
@dataclass(frozen=True, eq=False)
class Measurement:
    """The quantity of a bound on each replica, ``measured (R,)``, and what is ``allowed (R,)``.

    A replica is allowed a value that depends on its own start; the mean over replicas is the bound.
    """

    measured: Floats
    allowed: Floats


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison of one run with one bound.

    The bound applies if ``reason`` is None; only then there is a ``measurement``.  Otherwise
    ``setting``, ``conditions`` and ``value`` are present as far as the reason allows.  ``exact``
    marks runs without noise, ``estimated`` names estimated constants.
    """

    algorithm: str
    bound: Bound
    reason: str | None = None
    setting: Setting | None = None
    conditions: tuple[Condition, ...] = ()
    value: BoundValue | None = None
    largest_gamma: float = nan
    measurement: Measurement | None = None
    exact: bool = False
    diverged_at: int | None = None
    estimated: tuple[str, ...] = ()


def compare_with_bounds(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    runs: Sequence[Trajectory],
    N: int,
    bounds: Sequence[Bound],
) -> tuple[Comparison, ...]:
    """Compare every algorithm with every bound, in that order; ``runs`` are theirs, of N rounds.

    Raises:
        KavgError: if there are not as many runs as algorithms, or a run is of another algorithm or
            problem, as far as it shows.
    """
    check_range(Problem, "problem", problem)
    algorithms = check_range(tuple[Algorithm, ...], "algorithms", algorithms)
    runs = check_range(tuple[Trajectory, ...], "runs", runs)
    if len(algorithms) != len(runs):
        raise KavgError(
            f"every algorithm needs its run, got {len(runs)} runs for {len(algorithms)} algorithms"
        )
    N = check_count("rounds", N, "it is the number of rounds of the runs")
    for i, (algorithm, run) in enumerate(zip(algorithms, runs, strict=True)):
        _check_pair(problem, algorithm, run, f"runs[{i}]")
    return tuple(
        _compare_pair(problem, algorithm, run, N, bound)
        for algorithm, run in zip(algorithms, runs, strict=True)
        for bound in bounds
    )


def _check_pair(problem: Problem, algorithm: Algorithm, run: Trajectory, place: str) -> None:
    if mismatch := find_mismatch(problem, algorithm, run):
        remedy = "give runs in the order of their algorithms"
        if run.arithmetic != ARITHMETIC:
            remedy = (
                f"the run has arithmetic {run.arithmetic} and this kavg {ARITHMETIC}, by which a "
                "rotation, for instance, is another one; use the version that made the run"
            )
        due = "the run of its algorithm on this problem"
        raise KavgError(f"{place} must be {due}: {mismatch}; {remedy}")


def compare_with_bound(
    problem: Problem, algorithm: Algorithm, run: Trajectory, N: int, bound: Bound
) -> Comparison:
    """Compare a run of ``N`` rounds with one bound, or give the reason why it does not apply.

    ``run`` is that of ``algorithm`` on ``problem``, recorded as the quantity of the bound needs it.

    Raises:
        KavgError: if the run is of another algorithm or problem, as far as it shows.

    >>> from kavg import objectives, oracles, outer, simulate
    >>> from kavg.analysis.bounds import BOUNDS
    >>> problem = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Noiseless(), start=3.0)
    >>> method = Algorithm(P=2, K=1, gamma=1.0, outer=outer.Averaging())
    >>> run = simulate(problem, method, rounds=4, replicas=1, seed=1)
    >>> found = compare_with_bound(problem, method, run, 4, BOUNDS[0]).measurement
    >>> found.measured, found.allowed  # Theorem 1 is attained here
    (array([2.25]), array([2.25]))
    """
    _check_pair(problem, algorithm, run, "run")
    return _compare_pair(problem, algorithm, run, N, bound)


def _compare_pair(
    problem: Problem, algorithm: Algorithm, run: Trajectory, N: int, bound: Bound
) -> Comparison:
    objective = problem.objective
    noise = problem.noise
    constants = gather_constants(objective, noise)
    name = algorithm.name or run.name
    gaps = optimality_gaps(run.series["F"][0], objective.f_star.value)
    setting = make_setting(objective, noise, algorithm, N, float(np.mean(gaps)))
    if isinstance(setting, NotApplicable):
        return Comparison(name, bound, setting.reason)
    comparison = _compare_setting(algorithm, bound, setting, constants)
    comparison = replace(comparison, algorithm=name, diverged_at=run.diverged_at)
    if comparison.reason is not None:
        return comparison
    measured = _measure_quantity(run, bound, N, objective.f_star.value)
    if isinstance(measured, NotApplicable):
        return replace(comparison, reason=measured.reason)
    allowed = _allow_replicas(bound.value(setting), gaps, setting.Delta)
    return replace(comparison, measurement=Measurement(measured, allowed))


def _compare_setting(
    algorithm: Algorithm, bound: Bound, setting: Setting, constants: Mapping[str, Constant]
) -> Comparison:
    found = check_applicability(bound, algorithm, setting, constants)
    # Outside its assumptions a theorem's formulas may not even be defined; outside its step
    # conditions they are, and reports show the value with the largest step.
    covered = bool(found.conditions) or found.reason is None
    return Comparison(
        algorithm.name,
        bound,
        found.reason,
        setting=setting,
        conditions=found.conditions,
        value=bound.value(setting) if covered else None,
        largest_gamma=bound.largest_gamma(setting) if covered else nan,
        exact=setting.sigma2 == 0 and setting.M_v == 0,
        estimated=estimated_constants(bound, constants),
    )


def _allow_replicas(value: BoundValue, gaps: Floats, Delta: float) -> Floats:
    # Every bound's optimization part is proportional to Delta, free parameters being those chosen
    # for the mean Delta.  So a replica that started at its own gap is allowed that much of it, the
    # mean over replicas is the bound, and the sampling error of Delta is part of the test.
    share = gaps / Delta if Delta > 0 else np.zeros_like(gaps)
    return np.asarray(value.optimization * share + (value.noise + value.drift))


def optimality_gaps(F: Floats, f_star: float) -> Floats:
    """Return ``F - f_star``, where a difference of the size of rounding counts as 0.

    >>> optimality_gaps(np.array([1.0, 1.0 - 1e-15, 3.0]), 1.0)
    array([0., 0., 2.])
    """
    gaps = np.asarray(F - f_star)
    return np.where(np.abs(gaps) <= _ROUNDING * np.maximum(np.abs(F), abs(f_star)), 0.0, gaps)


def _measure_quantity(
    run: Trajectory, bound: Bound, N: int, f_star: float
) -> Floats | NotApplicable:
    """Return each replica's value ``(R,)`` of the bound's quantity over ``N`` rounds.

    ``(1/N) sum_{n=1..N} ||grad F(w_n)||^2`` is the mean of the series at the rounds 0 to N-1: the
    start counts and the last iterate does not.  ``F(w_{N+1}) - f_star`` is that at round N.  A run
    that diverged by then has infinite values.
    """
    if bound.quantity == "mean_grad_norm2_local" and run.K > 1:
        return NotApplicable(
            f"it bounds a mean over local steps; meta-iterates give it for K = 1, not K = {run.K}"
        )
    gap = bound.quantity == "final_gap"
    # A divergence in round N itself is not part of a mean that ends with w_N.
    last = N if gap else N - 1
    if run.diverged_at is not None and run.diverged_at <= last:
        # The replica that diverged ends the run of all, and its mean is infinite (Markov).
        return np.full(run.replicas, np.inf)
    if gap:
        if run.rounds[-1] != N:
            return NotApplicable(f"it needs F at round {N}, and the run ends at {run.rounds[-1]}")
        return optimality_gaps(run.series["F"][-1], f_star)
    if not np.array_equal(run.rounds[:N], np.arange(N)):
        return NotApplicable("it needs the gradient at every round; set record.every = 1")
    # A mean of finite values may overflow too, and then counts as infinite.
    with np.errstate(over="ignore"):
        return np.asarray(run.series["grad_norm2"][:N].mean(axis=0))
