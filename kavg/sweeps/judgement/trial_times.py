"""Times to a target as they are kept of every point, whose run itself is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any, Final, final

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.targets import TargetTime
from kavg.base import Floats

TRIAL_LEVEL: Final = 0.95
"""The level of the interval that is kept."""


@final
@dataclass(frozen=True)
class TrialTime:
    """The interval of the time to target of a mean, and the times of the replicas.

    ``low`` is None where there is no interval, as of one replica; ``high`` is None too where the
    mean may never arrive.  ``times`` are None for replicas that did not arrive until
    ``censored_at``.
    """

    low: float | None
    high: float | None
    censored_at: float
    times: tuple[float | None, ...]

    def to_estimate(self, reached: float | None) -> Estimate:
        """Return the time of the mean, infinite if it was not ``reached``, with its interval."""
        # JSON has no infinity.  A low end is never infinite, so without one there is no interval.
        low = nan if self.low is None else self.low
        high = (nan if self.low is None else inf) if self.high is None else self.high
        mean = inf if reached is None else reached
        return Estimate(
            np.asarray(mean), np.asarray(low), np.asarray(high), TRIAL_LEVEL, len(self.times)
        )

    def fill_times(self) -> Floats:
        """Return the times of the replicas ``(R,)``, censored ones at the end of the records.

        >>> TrialTime(2.0, None, 9.0, (3.0, None)).fill_times()
        array([3., 9.])
        """
        return np.array([self.censored_at if t is None else t for t in self.times], np.float64)


def keep_time(time: TargetTime | None) -> TrialTime | None:
    """Return what is kept of a time; None of none."""
    if time is None:
        return None
    low, high = float(time.estimate.low), float(time.estimate.high)
    times = zip(time.times.tolist(), time.reached.tolist(), strict=True)
    return TrialTime(
        low if isfinite(low) else None,
        high if isfinite(high) else None,
        time.censored_at,
        tuple(t if arrived else None for t, arrived in times),
    )


def parse_trial_time(fields: Mapping[str, Any] | None) -> TrialTime | None:
    """Return the time of which ``dataclasses.asdict`` made the fields; None of None.

    Raises ``ValueError``, ``KeyError`` or ``TypeError`` if they are not those of a time.
    """
    if fields is None:
        return None
    found = TrialTime(**{**fields, "times": tuple(fields["times"])})
    numbers = (found.low, found.high, *found.times)
    if not all(x is None or type(x) in (int, float) for x in (*numbers, found.censored_at)):
        raise ValueError(f"it is no time to a target: {sorted(fields)}")
    return found
