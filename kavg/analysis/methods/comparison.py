"""Comparison of methods with a baseline at a named equal budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import final

from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.methods.contrast import Contrast, contrast_readings
from kavg.analysis.methods.method import Method, find_lowest, select_series
from kavg.analysis.methods.reading import Reading, find_common_amount, read_method
from kavg.analysis.simultaneous import simultaneous_level
from kavg.analysis.targets import TargetTime, measure_time, target_value
from kavg.budgets import CLOCK, Budget, BudgetAxis, Clock, measure_progress
from kavg.errors import KavgError
from kavg.ranges import Level, Positive, check_ranges
from kavg.targets import Target
from kavg.text import shorten_repr


@final
@dataclass(frozen=True)
class ComparisonPlan:
    """What is compared and where: a quantity at ``amount`` of ``axis``, and the time to a target.

    ``amount`` None is the largest that all methods have.  ``level`` is the probability that one or
    more of the contrasts' intervals miss, all groups together.  ``baseline`` names the method that
    the others are compared with, by its label or its algorithm; None is the first of each group.
    """

    quantity: str
    axis: BudgetAxis = "gradients"
    amount: Positive | None = None
    clock: Clock = CLOCK
    target: Target | None = None
    level: Level = 0.05
    baseline: str | None = None

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def statements(self) -> int:
        """The number of intervals of a contrast: difference, ratio and, with a target, speed-up."""
        return 2 if self.target is None else 3


@final
@dataclass(frozen=True, eq=False)
class MethodGroup:
    """Methods that are compared with each other; ``cell`` are the settings that they share."""

    methods: tuple[Method, ...]
    cell: Mapping[str, object]


@final
@dataclass(frozen=True, eq=False)
class GroupComparison:
    """A group at its budget: a reading of each method, and the contrasts with the baseline.

    ``contrasts`` are those of all readings but the baseline's.  ``target_value`` is the value that
    the quantity of the target is to reach, None without one.  ``level`` is the confidence of each
    interval of a contrast, so that all of them hold together as the plan asks.
    """

    group: MethodGroup
    budget: Budget
    readings: tuple[Reading, ...]
    baseline: Reading
    contrasts: tuple[Contrast, ...]
    target_value: float | None
    level: float


def compare_methods(
    groups: Sequence[MethodGroup], plan: ComparisonPlan
) -> tuple[GroupComparison, ...]:
    """Compare the methods of each group with its baseline, at an equal budget.

    The intervals of all contrasts hold together with probability ``1 - plan.level`` (Bonferroni).
    Those of single readings are pointwise, at ``1 - plan.level`` each.

    Raises:
        KavgError: if there are no two methods to compare, a group has no baseline, or a run does
            not reach the budget or lacks the quantity.
    """
    contrasts = sum(len(each.methods) - 1 for each in groups)
    if contrasts == 0:
        raise KavgError("a comparison needs two or more methods, got one; give another folder")
    level = simultaneous_level(1 - plan.level, contrasts * plan.statements)
    return tuple(_compare_group(group, plan, level) for group in groups)


def _compare_group(group: MethodGroup, plan: ComparisonPlan, level: float) -> GroupComparison:
    first = find_baseline(group, plan.baseline)
    amount = plan.amount
    if amount is None:
        amount = find_common_amount(group.methods, plan.axis, plan.clock)
    budget = Budget(plan.axis, amount, plan.clock)
    value = None if plan.target is None else _find_target_value(plan.target, group, first)
    readings = [_read(method, plan, budget, value, level) for method in group.methods]
    baseline = readings[group.methods.index(first)]
    contrasts = (contrast_readings(one, baseline, level) for one in readings if one is not baseline)
    return GroupComparison(group, budget, tuple(readings), baseline, tuple(contrasts), value, level)


def find_baseline(group: MethodGroup, name: str | None) -> Method:
    """Return the method of this label or algorithm; the first if no name is given.

    Raises:
        KavgError: if there is none.
    """
    if name is None:
        return group.methods[0]
    for method in group.methods:
        if name in (method.label, method.algorithm.name):
            return method
    known = ", ".join(repr(each.label) for each in group.methods)
    raise KavgError(f"--baseline must be one of {known}, got {shorten_repr(name)}")


def _read(
    method: Method, plan: ComparisonPlan, budget: Budget, value: float | None, level: float
) -> Reading:
    reading = read_method(method, plan.quantity, budget, 1 - plan.level)
    # A run that diverged may have passed the target before, which is no arrival.
    if plan.target is None or value is None or method.run.diverged_at is not None:
        return reading
    pointwise, joint = (
        _measure_method(method, plan.target, value, budget, each)
        for each in (1 - plan.level, level)
    )
    return replace(reading, time=pointwise, joint_time=joint)


def _measure_method(
    method: Method, target: Target, value: float, budget: Budget, level: float
) -> TargetTime:
    return measure_time(
        measure_progress(method.run, budget.axis, budget.clock),
        select_series(method, target.quantity),
        value,
        rule=target.rule,
        level=level,
        increasing=target.increasing,
    )


def _find_target_value(target: Target, group: MethodGroup, first: Method) -> float:
    """The value that all methods are to reach; a start is that of the baseline."""
    start = float(select_series(first, target.quantity)[0].mean())
    lowest = find_lowest(first, target.quantity)
    stationary = None
    if target.floor is not None:
        # The largest: a method with a higher floor than another could not reach the other's.
        stationary = max(
            _find_floor(each, target.quantity)
            for each in group.methods
            if each.run.diverged_at is None
        )
    return target_value(target, start, lowest=lowest, stationary=stationary)


def _find_floor(method: Method, quantity: str) -> float:
    # A sweep's own floor is that of all its points, and its winners are judged by it.
    if quantity in method.floors:
        return method.floors[quantity]
    return stationary_values(method.problem, method.algorithm).get(quantity, nan)
