"""Budgets of work: gradients, communications or simulated time, and the rounds that fit in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np

from kavg.base import Floats
from kavg.budgets.clock import CLOCK, Clock
from kavg.errors import KavgError
from kavg.ranges import Positive, check_ranges
from kavg.trajectory import Trajectory

BudgetAxis = Literal["gradients", "communications", "time"]
"""What is counted: gradients of all learners, averagings, or time by a ``Clock``."""
BUDGET_AXES: Final[tuple[BudgetAxis, ...]] = ("gradients", "communications", "time")
ROUNDING: Final = 1e-12
"""Relative excess of a round over a budget of time that counts as rounding."""


def round_cost(axis: BudgetAxis, P: int, K: int, B: int, clock: Clock = CLOCK) -> float:
    """Return what one round costs: ``K P B`` gradients, one communication, or its time.

    >>> [round_cost(axis, P=4, K=8, B=2) for axis in BUDGET_AXES]
    [64.0, 1.0, 8.0]
    """
    costs = {"gradients": float(K * P * B), "communications": 1.0, "time": clock.round_time(K)}
    if axis not in costs:
        raise KavgError(f"a budget must be one of {', '.join(BUDGET_AXES)}, got {axis!r}")
    return costs[axis]


@final
@dataclass(frozen=True)
class Budget:
    """An amount of work that each method may use: ``amount`` of ``axis``.

    >>> Budget("gradients", 1000.0).whole_rounds(P=4, K=8, B=1)
    31
    >>> Budget("time", 100.0, Clock(communication=10.0)).whole_rounds(P=4, K=8, B=1)
    5
    """

    axis: BudgetAxis
    amount: Positive
    clock: Clock = CLOCK

    def __post_init__(self) -> None:
        check_ranges(self)

    def whole_rounds(self, P: int, K: int, B: int) -> int:
        """Return the largest number of rounds that cost at most ``amount``; 0 if one costs more."""
        cost = round_cost(self.axis, P, K, B, self.clock)
        nearest = round(self.amount / cost)
        # 3 rounds of 0.1 cost 0.30000000000000004 and must fit in 0.3.
        return nearest if nearest * cost <= self.amount * (1 + ROUNDING) else nearest - 1

    def find_recorded(self, run: Trajectory) -> int:
        """Return the place in ``run.rounds`` of the last recorded round within the budget.

        Nothing is interpolated: a method that records or averages rarely is read where it has used
        less than the others.

        >>> z = np.zeros((3, 1))
        >>> run = Trajectory("", 2, 8, 1, np.array([0, 10, 20]), {"F": z}, z, z, z[:, 0])
        >>> Budget("gradients", 300.0).find_recorded(run)
        1
        """
        last = self.whole_rounds(run.P, run.K, run.B)
        return int(np.searchsorted(run.rounds, last, side="right")) - 1


def measure_progress(run: Trajectory, axis: BudgetAxis, clock: Clock = CLOCK) -> Floats:
    """Return the cost of a run up to each recorded round, ``(T,)``.

    >>> z = np.zeros((3, 1))
    >>> run = Trajectory("", 2, 8, 1, np.array([0, 10, 20]), {"F": z}, z, z, z[:, 0])
    >>> measure_progress(run, "gradients")
    array([  0., 160., 320.])
    """
    return np.asarray(run.rounds * round_cost(axis, run.P, run.K, run.B, clock))
