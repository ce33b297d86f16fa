"""A run beside a bound: what is promised, and what was measured of it, replica by replica."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Final, final

import numpy as np

from kavg.analysis.applicability import (
    check_applicability,
    estimated_constants,
    gather_constants,
    make_setting,
)
from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Trajectory

ROUNDING: Final = 1e-12
"""How far below ``f_star`` rounding may put F at a minimum, relative to its size."""


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """One bound and one run, replica by replica.

    ``reason`` says why the bound does not apply; it is empty where it does, and only then are
    ``measured (R,)`` and ``values (R,)`` there: what a replica gave and what the bound allows it,
    given where that replica started.  ``exact`` marks runs without noise.
    """

    algorithm: str
    bound: Bound
    reason: str = ""
    setting: Setting | None = None
    conditions: tuple[Condition, ...] = ()
    parts: BoundValue | None = None
    largest_gamma: float = nan
    measured: Floats | None = None
    values: Floats | None = None
    exact: bool = False
    diverged_at: int | None = None
    rests_on: tuple[str, ...] = ()


def compare_with_bounds(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    runs: Sequence[Trajectory],
    N: int,
    bounds: Sequence[Bound],
) -> tuple[Comparison, ...]:
    """Every algorithm beside every bound, in that order; ``runs`` are theirs, of ``N`` rounds."""
    if len(algorithms) != len(runs):
        raise KavgError(f"needs a run for each algorithm, got {len(runs)} for {len(algorithms)}")
    pairs = list(zip(algorithms, runs, strict=True))
    return tuple(
        compare_with_bound(problem, one, run, N, bound) for one, run in pairs for bound in bounds
    )


def compare_with_bound(
    problem: Problem, algorithm: Algorithm, run: Trajectory, N: int, bound: Bound
) -> Comparison:
    """What a bound says of a run of ``N`` rounds, and what was measured."""
    objective = problem.objective
    noise = problem.oracle.constants(objective)
    name = algorithm.name or run.name
    gaps = optimality_gaps(run.series["F"][0], objective.f_star.value)
    told = make_setting(objective, noise, algorithm, N, float(np.mean(gaps)))
    if isinstance(told, str):
        return Comparison(name, bound, told)
    conditions, reason = check_applicability(
        bound, algorithm, told, gather_constants(objective, noise)
    )
    known = Comparison(
        name,
        bound,
        reason,
        setting=told,
        conditions=conditions,
        parts=bound.value(told) if conditions or not reason else None,
        largest_gamma=bound.largest_gamma(told) if conditions or not reason else nan,
        exact=told.sigma2 == 0 and told.M_v == 0,
        diverged_at=run.diverged_at,
        rests_on=estimated_constants(bound, gather_constants(objective, noise)),
    )
    return (
        known
        if reason
        else _with_measurement(known, measure_quantity(run, bound, N, objective.f_star.value), gaps)
    )


def _with_measurement(known: Comparison, found: Floats | str, gaps: Floats) -> Comparison:
    """The same with the measured numbers, or with the reason why there are none.

    Every bound's optimization part is proportional to ``Delta``, free parameters being those chosen
    for the mean ``Delta``.  So a replica that started at its own ``Delta_r`` is allowed that much
    of it, and the mean over replicas is the bound.
    """
    if isinstance(found, str):
        return replace(known, reason=found)
    parts, setting = known.parts, known.setting
    if parts is None or setting is None:
        return known
    share = gaps / setting.Delta if setting.Delta > 0 else np.zeros_like(gaps)
    values = parts.optimization * share + (parts.noise + parts.drift)
    return replace(known, measured=found, values=values)


def optimality_gaps(F: Floats, f_star: float) -> Floats:
    """``F - f_star``, where rounding at the minimum is no fault."""
    gaps = np.asarray(F - f_star)
    return np.where(np.abs(gaps) <= ROUNDING * np.maximum(np.abs(F), abs(f_star)), 0.0, gaps)


def measure_quantity(run: Trajectory, bound: Bound, N: int, f_star: float) -> Floats | str:
    """What a run of ``N`` rounds gave of the bound's quantity, ``(R,)``, or why it gives nothing.

    ``(1/N) sum_{n=1..N} ||grad F(w_n)||^2`` is the mean of the series at the rounds 0 to N-1: the
    start counts and the last iterate does not.  ``F(w_{N+1}) - f_star`` is that at round N.
    """
    if bound.quantity == "mean_grad_norm2_local" and run.K > 1:
        return (
            f"it bounds a mean over local steps; meta-iterates give it for K = 1, not K = {run.K}"
        )
    gap = bound.quantity == "final_gap"
    last = N if gap else N - 1
    if run.diverged_at is not None and run.diverged_at <= last:
        return np.full(run.replicas, np.inf)
    if gap:
        there = run.rounds[-1] == N
        return optimality_gaps(run.series["F"][-1], f_star) if there else f"needs round {N}"
    if not np.array_equal(run.rounds[:N], np.arange(N)):
        return "it needs the gradient at every round; set record.every = 1"
    with np.errstate(over="ignore"):
        return np.asarray(run.series["grad_norm2"][:N].mean(axis=0))
