"""Simulated time: what a local step and a communication take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from kavg.ranges import NonNegative, Positive, check_ranges


@final
@dataclass(frozen=True)
class Clock:
    """The simulated time of a round: ``K step + communication``, in any unit.

    Learners work side by side, so P does not count.

    >>> Clock(step=1.0, communication=10.0).round_time(K=4)
    14.0
    """

    step: Positive = 1.0
    communication: NonNegative = 0.0

    def __post_init__(self) -> None:
        check_ranges(self)

    def round_time(self, K: int) -> float:
        """Return the time of one round of ``K`` local steps."""
        return K * self.step + self.communication


CLOCK: Final = Clock()
