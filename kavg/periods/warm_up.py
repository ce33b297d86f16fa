"""Rounds of synchronous SGD in front of another period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, final

from kavg.periods.piecewise import PiecewisePeriod
from kavg.periods.quadratic_synchronization import QuadraticSynchronization
from kavg.ranges import Count, check_ranges


@final
@dataclass(frozen=True)
class WarmUpPeriod:
    """``K(n) = 1`` for ``n <= rounds``, and ``then(n)`` afterwards.

    ``then`` is a number or a period that is known before the run; it counts rounds from the start
    of the run, warm-up included.  The first block after the warm-up is a whole one of ``then(n)``
    steps, where programs that average at multiples of K cut it short.  ``schedules.WarmUp`` lets
    the step size rise, and leaves K as it is.

    >>> period = WarmUpPeriod(rounds=2, then=8)
    >>> [period(n, gamma=0.1) for n in (1, 2, 3)]
    [1, 1, 8]
    """

    kind = "warm_up"
    same_bits = "any machine"
    rounds: Annotated[Count, "leave the warm-up out instead"]
    then: (
        Annotated[Count, "use K=1 for synchronous SGD"] | PiecewisePeriod | QuadraticSynchronization
    )

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def most(self) -> int | None:
        """The largest period, None where there is none."""
        return self.then if isinstance(self.then, int) else self.then.most

    def __call__(self, n: int, gamma: float) -> int:
        """Return the period of round ``n``, of step size ``gamma``."""
        if n <= self.rounds:
            return 1
        return self.then if isinstance(self.then, int) else self.then(n, gamma)
