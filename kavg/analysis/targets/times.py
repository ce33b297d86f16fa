"""The time to target of a mean over replicas, and of each replica, with a confidence interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.analysis.targets.crossing import find_time
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Finite, check_range
from kavg.targets import TargetRule


@final
@dataclass(frozen=True, eq=False)
class TargetTime:
    """When the mean over replicas reaches a value, and when each replica does.

    ``estimate`` is the time of the mean: infinite where the mean does not arrive, with an interval
    whose upper end is infinite where it may not.  ``times (R,)`` are those of the replicas by the
    same rule, ``censored_at``, the end of the records, where ``reached (R,)`` is false.
    ``left_out (R,)`` are the times of the means without one replica each, and ``bounds`` the
    interval at level ``(1 + level)/2``: ``compare_times`` needs both.
    """

    estimate: Estimate
    times: Floats
    reached: NDArray[np.bool]
    censored_at: float
    left_out: Floats
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
    target": it reaches from where the lower ends of ``mean_interval`` arrive, by the same rule, to
    where the upper ends do.  So it has the coverage of Student's interval of a mean at one round,
    needs no smoothness of the curve, and is unbounded where the data do not show that the mean
    arrives.

    Raises:
        KavgError: if ``values`` is not ``(T, R)``, or an argument is out of range.

    >>> halves = 0.5 ** np.arange(6.0)[:, None] * [0.9, 1.0, 1.1]
    >>> found = measure_time(np.arange(6), halves, 0.25).estimate
    >>> print(f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]")
    2.00 [1.67, 2.40]
    """
    samples = _validate_values(axis, values)
    value = check_range(Finite, "value", value)
    if increasing:
        samples, value = -samples, -value
    end, R = float(np.asarray(axis)[-1]), samples.shape[1]
    each = np.array([find_time(axis, curve, value, rule) for curve in samples.T])
    others = [find_time(axis, curve, value, rule) for curve in _leave_one_out(samples).T]
    with np.errstate(over="ignore", invalid="ignore"):
        time = find_time(axis, samples.mean(axis=1), value, rule)
    low, high = _invert_test(axis, samples, value, rule, level)
    return TargetTime(
        Estimate(np.asarray(time), np.asarray(low), np.asarray(high), level, R),
        np.minimum(each, end),
        np.isfinite(each),
        end,
        np.array(others),
        _invert_test(axis, samples, value, rule, (1 + level) / 2),
    )


def _validate_values(axis: ArrayLike, values: ArrayLike) -> Floats:
    samples, records = np.asarray(values, np.float64), np.shape(axis)
    if samples.ndim != 2 or not samples.size or samples.shape[:1] != records:
        raise KavgError(
            "a time to target needs values (T, R), R replicas at each of T records, got shapes "
            f"{records} and {samples.shape}"
        )
    return samples


def _leave_one_out(samples: Floats) -> Floats:
    # Sums from both sides: subtracting a replica from the sum of all would cancel.
    R = samples.shape[1]
    before, after = np.zeros_like(samples), np.zeros_like(samples)
    with np.errstate(over="ignore", invalid="ignore"):
        np.cumsum(samples[:, :-1], axis=1, out=before[:, 1:])
        after[:, :-1] = np.cumsum(samples[:, :0:-1], axis=1)[:, ::-1]
        return np.asarray((before + after) / max(R - 1, 1))


def _invert_test(
    axis: ArrayLike, samples: Floats, value: float, rule: TargetRule, level: float
) -> tuple[float, float]:
    band = mean_interval(samples, level)
    if samples.shape[1] == 1:
        return np.nan, np.nan
    end = float(np.asarray(axis)[-1])
    # Where not even the lower ends arrive, the time is beyond the last record.
    low = min(find_time(axis, band.low, value, rule), end)
    return low, find_time(axis, band.high, value, rule)
