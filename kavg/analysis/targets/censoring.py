"""Times of replicas of which some did not arrive: Kaplan-Meier's median, the restricted mean.

A replica that did not arrive is censored: its time is above the last one at which it was seen.
Leaving it out, or counting that last time as its own, would favour the slower method.
"""

from __future__ import annotations

from typing import Final
from warnings import catch_warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Confidence, check_range

ROUNDING: Final = 1e-12
"""Relative excess over 1/2 that counts as rounding."""


def median_time(times: ArrayLike, reached: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the median time with its confidence interval, from ``times, reached (R,)``.

    ``times`` is when a replica arrived or, where ``reached`` is false, when it was last seen.  The
    share that has not arrived by t is estimated by Kaplan and Meier (1958, J. Am. Stat. Assoc.
    53:457), and the median is the first time at which it is at most 1/2.  The interval holds the
    times whose share has 1/2 within its own interval, of Greenwood's variance on the scale
    ``log(-log)`` (Brookmeyer and Crowley 1982, Biometrics 38:29); the level is asymptotic.  Median
    and upper end are infinite where too few arrived.

    Raises:
        KavgError: if the two are not rows of one length, or a time is negative or not finite.

    >>> found = median_time([3, 5, 6, 8, 9, 9], [True, True, True, True, False, False])
    >>> found.mean, found.low, found.high
    (array(6.), array(3.), array(inf))
    """
    seen, arrived = _validate_times(times, reached)
    level = check_range(Confidence, "level", level)
    from scipy.stats import CensoredData, ecdf

    share = ecdf(CensoredData.right_censored(seen, ~arrived)).sf
    with catch_warnings(action="ignore"), np.errstate(divide="ignore", invalid="ignore"):
        # SciPy warns where all or none arrived, which is dealt with below.
        band = share.confidence_interval(level, method="log-log")
    places = np.asarray(share.quantiles, np.float64)
    # There the scale has no value: the ends are those of no information.
    # (The stubs of SciPy have numbers in place of its functions here.)
    lower, upper = (end.probabilities for end in band)  # type: ignore[attr-defined]
    lower = np.where(share.probabilities >= 1, 1.0, np.nan_to_num(lower))
    upper = np.nan_to_num(upper, nan=1.0)
    curves = (share.probabilities, lower, upper)
    median, low, high = (_first_at_most_half(places, each) for each in curves)
    # Where the lower ends do not arrive either, the median is beyond the last time that was seen.
    low = min(low, float(seen.max()))
    return Estimate(np.asarray(median), np.asarray(low), np.asarray(high), level, len(seen))


def restricted_mean(
    times: ArrayLike, reached: ArrayLike, until: float | None = None, level: float = 0.95
) -> Estimate:
    """Return the mean of ``min(time, until)`` with its confidence interval.

    It is the area under the share that has not arrived, up to ``until``: by default up to where the
    first replica is censored, else to the last arrival.  No replica may be censored before, so
    every ``min(time, until)`` is known and the interval is Student's.  Compare methods up to one
    common ``until``.

    Raises:
        KavgError: as ``median_time``, or if a replica is censored before ``until``.

    >>> restricted_mean([3, 5, 9], [True, True, False]).mean.round(3)
    np.float64(5.667)
    """
    seen, arrived = _validate_times(times, reached)
    known_until = float(seen[~arrived].min()) if not arrived.all() else np.inf
    end = float(min(known_until, seen.max())) if until is None else until
    if not 0 <= end <= known_until:
        raise KavgError(
            f"until must be from 0 to {known_until:g}, where the first replica is censored, "
            f"got until={end:g}"
        )
    return mean_interval(np.minimum(seen, end), level)


def _validate_times(times: ArrayLike, reached: ArrayLike) -> tuple[Floats, NDArray[np.bool]]:
    seen, arrived = np.asarray(times, np.float64), np.asarray(reached)
    if seen.ndim != 1 or not seen.size or seen.shape != arrived.shape or arrived.dtype != np.bool:
        raise KavgError(
            "times need a row of numbers and a row of true or false, one of each a replica, got "
            f"shapes {seen.shape} and {arrived.shape} of {arrived.dtype}"
        )
    if not (np.isfinite(seen) & (seen >= 0)).all():
        raise KavgError("times must be finite and at least 0; give the last time of a censored one")
    return seen, arrived


def _first_at_most_half(places: Floats, share: Floats) -> float:
    # A product of shares of n replicas that is 1/2 may be rounded up.
    below = share <= 0.5 * (1 + ROUNDING)
    return float(places[np.argmax(below)]) if below.any() else np.inf
