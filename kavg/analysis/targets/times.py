"""The time to target of a mean over replicas, and of each replica, with a confidence interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.analysis.targets.crossing import find_time, fit_decreasing, last_seen, pool_rounds
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Confidence, Finite, check_range
from kavg.targets import TargetRule


@final
@dataclass(frozen=True, eq=False)
class TargetTime:
    """When the mean over replicas reaches a value, and when each replica does.

    ``estimate`` is the time of the mean: infinite where the mean does not arrive, with an interval
    whose upper end is infinite where it may not.  ``times (R,)`` are those of the replicas by the
    same rule, ``censored_at``, where a time is last seen (``last_seen``), where ``reached (R,)`` is
    false.
    ``compare_times`` also needs the ``rule``, ``at_target (R,)``, the replicas' values at the time
    of the mean, and ``bounds``, the interval at level ``(1 + level)/2``.
    """

    estimate: Estimate
    times: Floats
    reached: NDArray[np.bool]
    censored_at: float
    rule: TargetRule
    at_target: Floats
    bounds: tuple[float, float]


def measure_time(
    axis: ArrayLike,
    values: ArrayLike,
    value: float,
    *,
    rule: TargetRule = "isotonic",
    level: float = 0.95,
    increasing: bool = False,
) -> TargetTime:
    """Estimate the time at which the mean of ``values (T, R)`` reaches ``value``.

    ``axis (T,)`` may count rounds, gradients, communications or time; ``rule`` is that of
    ``find_time``.  With ``increasing`` the value is reached from below, as an accuracy is.

    The interval holds the times at which Student's test does not reject "the mean is at its
    target": it reaches from where the lower ends of the means' intervals arrive, by the same rule,
    to where the upper ends do.  By the rule ``isotonic`` the means are those of the fit, so where
    rounds are pooled the test is of their mean, replica by replica.  Nothing is linearised, and an
    end is infinite where the data do not show that the mean arrives (docs/statistics.md has the
    coverage; jackknife and bootstrap cover less).  By the rule ``first`` the upper end is never
    before that of ``isotonic``, as one of many means near the target is below it by chance.

    Raises:
        KavgError: if ``values`` is not ``(T, R)``, or an argument is out of range.

    >>> halves = 0.5 ** np.arange(6.0)[:, None] * [0.9, 1.0, 1.1]
    >>> found = measure_time(np.arange(6), halves, 0.25).estimate
    >>> print(f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]")
    2.00 [1.67, 2.40]
    """
    places, samples = _validate_values(axis, values)
    value, level = check_range(Finite, "value", value), check_range(Confidence, "level", level)
    if increasing:
        # Upside down, so that all rules speak of curves that decrease.
        samples, value = -samples, -value
    with np.errstate(over="ignore", invalid="ignore"):
        time = find_time(places, samples.mean(axis=1), value, rule)
    each = np.array([find_time(places, curve, value, rule) for curve in samples.T])
    ends, bounds = (
        _invert_test(places, samples, value, rule, time, p) for p in (level, (1 + level) / 2)
    )
    low, high = map(np.asarray, ends)
    censored_at = last_seen(places, rule)
    return TargetTime(
        Estimate(np.asarray(time), low, high, level, samples.shape[1]),
        np.minimum(each, censored_at),
        np.isfinite(each),
        censored_at,
        rule,
        _interpolate_row(places, pool_rounds(samples), time),
        bounds,
    )


def _validate_values(axis: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    places, samples = np.asarray(axis, np.float64), np.asarray(values, np.float64)
    if samples.ndim != 2 or not samples.size or samples.shape[:1] != places.shape:
        raise KavgError(
            "a time to target needs values (T, R), R replicas at each of T records, got shapes "
            f"{places.shape} and {samples.shape}"
        )
    return places, samples


def _invert_test(
    places: Floats, samples: Floats, value: float, rule: TargetRule, time: float, level: float
) -> tuple[float, float]:
    # One replica has no spread, and NaN would count as "not reached".
    if samples.shape[1] == 1:
        return np.nan, np.nan
    pooled = mean_interval(pool_rounds(samples), level)
    band = pooled if rule == "isotonic" else mean_interval(samples, level)
    # Where not even the lower ends arrive, the time is beyond the last one that is seen.
    low = min(find_time(places, band.low, value, rule), last_seen(places, rule))
    high = find_time(places, band.high, value, rule)
    if rule == "first":
        high = max(high, find_time(places, fit_decreasing(pooled.high), value, rule))
    # Rounding may part the fit from the means of its blocks.
    return min(low, time), max(high, time)


def _interpolate_row(places: Floats, rows: Floats, time: float) -> Floats:
    i = int(np.searchsorted(places, min(time, float(places[-1]))))
    if i == 0:
        return np.asarray(rows[0])
    share = (min(time, float(places[-1])) - places[i - 1]) / (places[i] - places[i - 1])
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray((1 - share) * rows[i - 1] + share * rows[i])
