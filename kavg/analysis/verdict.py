"""The verdict on a bound and a run: its outcome, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final

from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue, Condition
from kavg.analysis.estimate import Estimate


class Outcome(Enum):
    """The five outcomes of a comparison; the value of each is its meaning in a sentence."""

    HOLDS = "the measured mean is below the bound, at the level of the table"
    VIOLATED = "the measured mean is above the bound, at the level of the table"
    INCONCLUSIVE = "the replicas do not say on which side of the bound the mean lies"
    NOT_APPLICABLE = "the theorem is not about this run"
    VACUOUS = "the bound is above what smoothness alone gives at the start"

    @property
    def label(self) -> str:
        """The outcome as printed.

        >>> Outcome.NOT_APPLICABLE.label
        'NOT APPLICABLE'
        """
        return self.name.replace("_", " ")


@final
@dataclass(frozen=True, eq=False)
class Verdict:
    """The outcome for one algorithm and one bound, with the numbers behind it.

    ``reason`` explains an outcome that the numbers do not explain (None for most).  ``measured`` is
    the mean over replicas, ``value`` the bound and ``ratio`` measured over bound; all three are
    None where the bound does not apply.  The confidence intervals are two-sided and pointwise,
    whereas the outcomes are valid together.  ``p`` is the smaller of the two p-values, adjusted for
    the whole table (NaN where nothing was tested).  ``estimated`` names the constants behind the
    bound that are estimates, so that the verdict is no better than they are.
    """

    algorithm: str
    bound: Bound
    outcome: Outcome
    reason: str | None
    conditions: tuple[Condition, ...]
    largest_gamma: float
    measured: Estimate | None
    value: BoundValue | None
    ratio: Estimate | None
    p: float
    estimated: tuple[str, ...]

    def __str__(self) -> str:
        """Return the label of the outcome, with the estimated constants."""
        suffix = f", with estimated {', '.join(self.estimated)}" if self.estimated else ""
        return self.outcome.label + suffix
