"""What a method reached within a budget: the quantity there, and the time to a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from kavg.analysis.estimate import Estimate
from kavg.analysis.methods.method import Method, select_series
from kavg.analysis.quantities import quantity_interval
from kavg.analysis.targets import TargetTime
from kavg.base import Floats
from kavg.budgets import Budget, BudgetAxis, Clock, measure_progress
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """A quantity of one method at its last recorded round within a budget.

    ``samples (R,)`` are the values of the replicas there, and ``used`` what they cost, at most the
    budget.  ``diverged_at`` is the round by which the run had diverged within the budget, or None;
    the samples are then those before it and nothing is estimated.  ``time`` is that to the target,
    if one was asked for, and ``joint_time`` the same at the level of contrasts.
    """

    method: Method
    quantity: str
    round: int
    used: float
    samples: Floats
    estimate: Estimate
    diverged_at: int | None = None
    time: TargetTime | None = None
    joint_time: TargetTime | None = None


def read_method(method: Method, quantity: str, budget: Budget, level: float) -> Reading:
    """Read a quantity at the last recorded round within a budget, with its interval at ``level``.

    Raises:
        KavgError: if the run is shorter than the budget, records nothing within it after the start,
            or lacks the quantity.
    """
    run = method.run
    series = select_series(method, quantity)
    diverged_at = _find_divergence(method, budget)
    place = budget.find_recorded(run)
    used = measure_progress(run, budget.axis, budget.clock)
    _require_reach(method, budget, used, place, is_diverged=diverged_at is not None)
    samples = series[place]
    estimate = quantity_interval(quantity, samples, level)
    return Reading(
        method,
        quantity,
        int(run.rounds[place]),
        float(used[place]),
        samples,
        estimate,
        diverged_at,
    )


def _find_divergence(method: Method, budget: Budget) -> int | None:
    run = method.run
    if run.diverged_at is None:
        return None
    # Values before the divergence are good; a budget that includes that round has none.
    is_inside = run.diverged_at <= budget.find_last_round(run)
    return run.diverged_at if is_inside else None


def _require_reach(
    method: Method, budget: Budget, used: Floats, place: int, *, is_diverged: bool
) -> None:
    run = method.run
    if is_diverged:
        return
    if budget.find_last_round(run) > run.rounds[-1]:
        raise KavgError(
            f"{budget.axis} must be at most {used[-1]:.12g}, where {method.label!r} ends, got "
            f"{budget.amount:.12g}; kavg resume FOLDER --rounds N extends a run"
        )
    if place == 0:
        first = f"its first is at {used[1]:.12g}" if len(used) > 1 else "it records no other"
        raise KavgError(
            f"{method.label!r} has no recorded round but its start within {budget.axis} = "
            f"{budget.amount:.12g}; {first}"
        )


def find_common_amount(methods: Sequence[Method], axis: BudgetAxis, clock: Clock) -> float:
    """Return the largest amount that all runs reach: the least of what they cost in all.

    A run that diverged reaches any amount, as it is still not finite there.

    Raises:
        KavgError: if all runs diverged.
    """
    ends = [
        float(measure_progress(each.run, axis, clock)[-1])
        for each in methods
        if each.run.diverged_at is None
    ]
    if not ends:
        raise KavgError(
            "every run diverged, so that none can be compared; reduce gamma, or compare before "
            f"they did, with --at {axis}=N"
        )
    return min(ends)
