"""Budgets of work: gradients, communications or simulated time, and the rounds that fit in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

import numpy as np

from kavg.base import AdaptivePeriod, Floats
from kavg.budgets.clock import CLOCK, Clock
from kavg.budgets.work import count_active_learners
from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.ranges import Positive, check_ranges
from kavg.trajectory import Trajectory

BudgetAxis = Literal["gradients", "communications", "time"]
"""What is counted: gradients of all learners, averagings, or time by a ``Clock``."""
BUDGET_AXES: Final[tuple[BudgetAxis, ...]] = ("gradients", "communications", "time")
ROUNDING: Final = 1e-12
"""Relative excess of a round over a budget of time that counts as rounding."""
MOST_COUNTED: Final = 10**7
"""Rounds that are counted one by one where K changes: some ten seconds."""


def round_cost(axis: BudgetAxis, P: float, K: int, B: int, clock: Clock = CLOCK) -> float:
    """Return what one round costs: ``K P B`` gradients, one communication, or its time.

    ``P`` learners take steps; of a subset it is their number, and a mean where some take fewer.

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

    def whole_rounds(self, P: float, K: int, B: int) -> int:
        """Return the largest number of rounds that cost at most ``amount``; 0 if one costs more."""
        cost = round_cost(self.axis, P, K, B, self.clock)
        nearest = round(self.amount / cost)
        # 3 rounds of 0.1 cost 0.30000000000000004 and must fit in 0.3.
        return nearest if nearest * cost <= self.amount * (1 + ROUNDING) else nearest - 1

    def count_rounds(self, algorithm: Algorithm, B: int) -> int:
        """Return the largest number of rounds of an algorithm that cost at most ``amount``.

        Raises ``KavgError`` if its ``K`` is adaptive, as only a run knows the cost then, or if
        ``K`` changes and rounds are more than ``MOST_COUNTED``.

        >>> from kavg import Algorithm, outer, periods
        >>> K = periods.PiecewisePeriod(Ks=(1, 4), boundaries=(2,))
        >>> method = Algorithm(P=2, K=K, gamma=0.1, outer=outer.Averaging())
        >>> Budget("gradients", 20.0).count_rounds(method, B=1)
        4
        """
        active = count_active_learners(algorithm)
        if not callable(algorithm.K) or self.axis == "communications":
            return self.whole_rounds(active, algorithm.count_local_steps(1), B)
        if isinstance(algorithm.K, AdaptivePeriod):
            raise KavgError(
                f"{self.axis} of an adaptive K are known to the run alone, got "
                f"{algorithm.K!r:.60}; give communications, or rounds"
            )
        limit, steps = self.amount * (1 + ROUNDING), 0
        for n in range(1, MOST_COUNTED + 1):
            steps += algorithm.count_local_steps(n)
            if self._spend(n, steps * active * B, steps) > limit:
                return n - 1
        raise KavgError(
            f"{self.axis} = {self.amount:g} are more than {MOST_COUNTED} rounds of a K that "
            "changes, which are counted one by one; reduce it, or give rounds"
        )

    def _spend(self, rounds: int, gradients: float, steps: int) -> float:
        # From whole numbers, as a sum of the rounds' times would gather their rounding.
        clock = self.clock
        time = steps * clock.step + rounds * clock.communication
        return time if self.axis == "time" else float(gradients)

    def find_last_round(self, run: Trajectory) -> int:
        """Return the last round of a run that costs at most ``amount``.

        Where the period changes only recorded rounds are known: the last of them that does.  If all
        do and more would fit, it is the round after them, or that in which the run diverged.
        """
        if not run.counted.size or self.axis == "communications":
            return self.whole_rounds(run.active_learners, run.K, run.B)
        place = self.count_recorded(run) - 1
        is_last = place == len(run.rounds) - 1
        is_spent = measure_progress(run, self.axis, self.clock)[place] >= self.amount
        if is_last and not is_spent:
            return run.diverged_at or int(run.rounds[place]) + 1
        return int(run.rounds[place])

    def count_recorded(self, run: Trajectory) -> int:
        """Return how many recorded rounds of a run cost at most ``amount``."""
        if not run.counted.size or self.axis == "communications":
            last = self.whole_rounds(run.active_learners, run.K, run.B)
            return int(np.searchsorted(run.rounds, last, side="right"))
        spent = measure_progress(run, self.axis, self.clock)
        return int(np.searchsorted(spent, self.amount * (1 + ROUNDING), side="right"))

    def find_recorded(self, run: Trajectory) -> int:
        """Return the place in ``run.rounds`` of the last recorded round within the budget.

        Nothing is interpolated: a method that records or averages rarely is read where it has used
        less than the others.

        >>> z = np.zeros((3, 1))
        >>> run = Trajectory("", 2, 8, 1, np.array([0, 10, 20]), {"F": z}, z, z, z[:, 0])
        >>> Budget("gradients", 300.0).find_recorded(run)
        1
        """
        return self.count_recorded(run) - 1


def measure_progress(run: Trajectory, axis: BudgetAxis, clock: Clock = CLOCK) -> Floats:
    """Return the cost of a run up to each recorded round, ``(T,)``.

    >>> z = np.zeros((3, 1))
    >>> run = Trajectory("", 2, 8, 1, np.array([0, 10, 20]), {"F": z}, z, z, z[:, 0])
    >>> measure_progress(run, "gradients")
    array([  0., 160., 320.])
    """
    if not run.counted.size:
        return np.asarray(run.rounds * round_cost(axis, run.active_learners, run.K, run.B, clock))
    communications = run.rounds.astype(np.float64)
    costs = {
        "gradients": run.gradients.astype(np.float64),
        "communications": communications,
        "time": run.steps * clock.step + communications * clock.communication,
    }
    return costs[axis]
