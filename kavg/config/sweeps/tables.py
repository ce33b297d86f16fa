"""The table ``[sweep]`` of a settings file: what is varied, the target, the budget, the stages.

The classes hold what the file says; ``kavg.sweeps`` makes points of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, final

from annotated_types import Interval

from kavg.budgets import BUDGET_AXES, CLOCK, Budget, Clock
from kavg.config.sweeps.spacing import Spacing
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, Seed, check_ranges
from kavg.targets import Target

TrialCount = Annotated[int, Interval(ge=1, le=20_000), "it is the number of random settings"]
StageShare = Annotated[float, Interval(gt=0, le=1), "use 0.25 for a quarter of the rounds"]
KeepCount = Annotated[int, Interval(ge=1), "use keep=1 to go on with the best"]


AxisValues = tuple[Any, ...] | Spacing
"""The values of a setting: a list, or a table that spaces them."""


@final
@dataclass(frozen=True)
class GridTable:
    """Settings that are varied: each key is a place, each value a list or a spacing."""

    places: Mapping[str, AxisValues] = field(default_factory=dict, metadata={"rest": True})


@final
@dataclass(frozen=True)
class RandomTable:
    """Settings that are drawn: ``trials`` times, each key a place with its law."""

    trials: TrialCount
    seed: Seed = 0
    places: Mapping[str, AxisValues] = field(default_factory=dict, metadata={"rest": True})

    def __post_init__(self) -> None:
        check_ranges(self)


@final
@dataclass(frozen=True)
class TuneTable:
    """Settings of which only the best counts, for each algorithm and cell."""

    zip: GridTable | None = None
    random: RandomTable | None = None
    places: Mapping[str, AxisValues] = field(default_factory=dict, metadata={"rest": True})


@final
@dataclass(frozen=True)
class BudgetTable:
    """What each point may use: one of gradients, communications, time.

    >>> BudgetTable(gradients=1e6).budget.whole_rounds(P=16, K=8, B=1)
    7812
    """

    gradients: Positive | None = None
    communications: Positive | None = None
    time: Positive | None = None
    clock: Clock = CLOCK

    def __post_init__(self) -> None:
        check_ranges(self)
        given = [axis for axis in BUDGET_AXES if getattr(self, axis) is not None]
        if len(given) != 1:
            raise KavgError(
                f"a budget must be exactly one of {', '.join(BUDGET_AXES)}, "
                f"got {' and '.join(given) or 'none'}; as in gradients = 1e6"
            )

    @property
    def budget(self) -> Budget:
        """The budget as the value that rounds follow from."""
        axis = next(axis for axis in BUDGET_AXES if getattr(self, axis) is not None)
        return Budget(axis, getattr(self, axis), self.clock)


@final
@dataclass(frozen=True)
class StageTable:
    """A stage of tuning: how many of the best go on, their replicas, rounds and seed."""

    keep: KeepCount | None = None
    replicas: Count | None = None
    rounds: Count | None = None
    share: StageShare | None = None
    seed: Seed | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.rounds is not None and self.share is not None:
            raise KavgError("a stage needs one of rounds and share, got both")


@final
@dataclass(frozen=True)
class UntilTable:
    """When the last stage has enough replicas: one of width, decided; and the most it may use.

    >>> UntilTable(width=0.05, gradients=1e9).decided
    False
    """

    width: Positive | None = None
    decided: bool = False
    replicas: Count | None = None
    gradients: Positive | None = None
    seconds: Positive | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if (self.width is not None) == self.decided:
            raise KavgError(
                "needs exactly one of width = 0.05, for intervals of 5 %, and decided = true, got "
                f"{'both' if self.decided else 'none'}"
            )


@final
@dataclass(frozen=True)
class SweepTable:
    """Many runs of one settings file: every combination of the values of grid, zip and random."""

    grid: GridTable | None = None
    zip: GridTable | None = None
    random: RandomTable | None = None
    tune: TuneTable | None = None
    target: Target | None = None
    budget: BudgetTable | None = None
    until: UntilTable | None = None
    stages: tuple[StageTable, ...] = field(default=(), metadata={"key": "stage"})
