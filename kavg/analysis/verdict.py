"""What is said of a bound and a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final

from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue, Condition
from kavg.analysis.estimate import Estimate


class Outcome(Enum):
    """What is said of a bound and a run."""

    HOLDS = "the measured mean is below the bound, at the level of the table"
    VIOLATED = "the measured mean is above the bound, at the level of the table"
    INCONCLUSIVE = "the replicas do not say on which side of the bound the mean lies"
    NOT_APPLICABLE = "the theorem is not about this run"
    VACUOUS = "the bound is above what smoothness alone gives at the start"

    @property
    def words(self) -> str:
        """The name as printed.

        >>> Outcome.NOT_APPLICABLE.words
        'NOT APPLICABLE'
        """
        return self.name.replace("_", " ")


@final
@dataclass(frozen=True, eq=False)
class Verdict:
    """The outcome for one algorithm and one bound, with the numbers it rests on.

    ``ratio`` is measured over bound; its limits and those of ``measured`` are two-sided and hold
    one by one, where the outcomes hold together.  ``p`` is the smaller of the two p-values,
    adjusted for the whole table (NaN where nothing was tested).  ``rests_on`` names estimated
    constants.
    """

    algorithm: str
    bound: Bound
    outcome: Outcome
    reason: str
    conditions: tuple[Condition, ...]
    largest_gamma: float
    measured: Estimate | None
    value: BoundValue | None
    ratio: Estimate | None
    p: float
    rests_on: tuple[str, ...]

    def __str__(self) -> str:
        """The outcome in words, with what it rests on."""
        resting = f", with estimated {', '.join(self.rests_on)}" if self.rests_on else ""
        return self.outcome.words + resting
