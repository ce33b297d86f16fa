"""The times to target of the points of a stage, as figures show them."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.reports.figures.sweeps.point_values import PointValue
from kavg.sweeps.judgement.trial_times import TRIAL_LEVEL, TrialTime


def value_trial(
    algorithm: str,
    settings: Mapping[str, object],
    reached: float | None,
    time: TrialTime | None,
    replicas: int,
) -> PointValue:
    """Return the value of a point by the time at which its mean ``reached`` the target, if it did.

    Without a ``time`` there is no interval.  The point then diverged, and its replicas are NaN; or
    it was written by a kavg that kept no times, and they are not known.
    """
    if time is not None:
        return PointValue(algorithm, settings, time.to_estimate(reached), time.fill_times())
    mean, end = np.asarray(inf if reached is None else reached), np.asarray(np.nan)
    estimate = Estimate(mean, end, end, TRIAL_LEVEL, replicas)
    # No empty samples of a point that diverged: others are compared only where all have as many.
    known = replicas if reached is None else 0
    return PointValue(algorithm, settings, estimate, np.full(known, np.nan))
