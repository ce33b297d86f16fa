"""What makes one point of a sweep better than another: its time to the target, else its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import final

import numpy as np

from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.targets import TargetTime, find_infimum, measure_time, target_value
from kavg.base import Floats
from kavg.budgets import CLOCK, BudgetAxis, Clock, measure_progress
from kavg.config.config import Config
from kavg.errors import KavgError
from kavg.sweeps.points import Point
from kavg.sweeps.sweep import Sweep
from kavg.targets import Target
from kavg.trajectory import Trajectory

Cell = tuple[tuple[str, str], ...]
"""Settings of a cell as text."""


@final
@dataclass(frozen=True)
class Criterion:
    """The sooner at a target is the better, and without a target the smaller mean at the end.

    ``axis`` is what is counted until the mean of ``quantity`` over the replicas reaches the target.
    ``floors`` are the stationary values of the points, by their numbers, if the target refers to
    them (``find_floors``).
    """

    target: Target | None
    quantity: str
    axis: BudgetAxis = "gradients"
    clock: Clock = CLOCK
    floors: Mapping[int, float] = field(default_factory=dict)

    def find_value(self, point: Point, config: Config, run: Trajectory) -> float:
        """Return the value of the target for the run of a point."""
        assert self.target is not None
        lowest = find_infimum(config.objective.f_star, self.quantity)
        start, stationary = float(self.series(run)[0].mean()), self.floors.get(point.number)
        return target_value(self.target, start, lowest=lowest, stationary=stationary)

    def measure_cost(
        self, point: Point, config: Config, run: Trajectory, level: float
    ) -> TargetTime | None:
        """Return the cost at which the mean of a run reaches the target, with its interval.

        None without a target, or if the run diverged, which may have passed the target before.
        """
        if self.target is None or run.diverged_at is not None:
            return None
        return measure_time(
            self.progress(run),
            self.series(run),
            self.find_value(point, config, run),
            rule=self.target.rule,
            level=level,
            increasing=self.target.increasing,
        )

    def series(self, run: Trajectory) -> Floats:
        """Return the recorded quantity, ``(T, R)``."""
        return run.series[self.quantity]

    def progress(self, run: Trajectory) -> Floats:
        """Return the cost of a run up to each recorded round, ``(T,)``."""
        return measure_progress(run, self.axis, self.clock)


def choose_criterion(sweep: Sweep) -> Criterion:
    """Return the criterion of a sweep: its target, counted as its budget is, else in gradients.

    Raises:
        KavgError: The target refers to a stationary value that is not known.
    """
    axis: BudgetAxis = sweep.budget.axis if sweep.budget else "gradients"
    clock = sweep.budget.clock if sweep.budget else CLOCK
    target = sweep.target
    floors = find_floors(sweep.points, target) if target and target.floor is not None else {}
    return Criterion(target, sweep.quantity, axis, clock, floors)


def find_floors(points: Sequence[Point], target: Target) -> dict[int, float]:
    """Return the stationary value that the target of each point refers to.

    Of the points of a cell, whatever their algorithms, it is one value, which each algorithm can
    come near with one of its settings: the largest, over the algorithms, of the smallest stationary
    values of their points.

    Raises:
        KavgError: An algorithm has no point in a cell whose stationary value is known.
    """
    common = set.intersection(*(set(point.cell) for point in points))
    cells: dict[Cell, dict[str, list[float]]] = {}
    for point in points:
        found = cells.setdefault(_describe_cell(point, common), {})
        found.setdefault(point.algorithm, []).append(_find_stationary(point, target.quantity))
    floors = {key: max(map(min, found.values())) for key, found in cells.items()}
    if inf in floors.values():
        raise KavgError(
            f"target.floor needs an algorithm's stationary value of {target.quantity} in each "
            f"cell: {_explain_missing(points[0], target.quantity)}; use below or fraction"
        )
    return {point.number: floors[_describe_cell(point, common)] for point in points}


def _describe_cell(point: Point, names: set[str]) -> Cell:
    return tuple((name, repr(point.cell[name])) for name in sorted(names))


def _find_stationary(point: Point, quantity: str) -> float:
    try:
        # A step of any size may be tried, and one that is far too large overflows.
        with np.errstate(all="ignore"):
            found = stationary_values(point.config.problem, point.config.algorithms[0])[quantity]
    except (KavgError, KeyError):  # another objective, a step that is too large
        return inf
    return found if isfinite(found) else inf


def _explain_missing(point: Point, quantity: str) -> str:
    try:
        known = stationary_values(point.config.problem, point.config.algorithms[0])
    except KavgError as error:
        return str(error)
    return f"{quantity} has none" if quantity not in known else "all steps of one are too large"
