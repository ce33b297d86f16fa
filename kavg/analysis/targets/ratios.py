"""Ratios of two times to target: the speed-up of a method, also where one did not arrive."""

from __future__ import annotations

from math import inf, isfinite, nan, sqrt

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.student import student_quantile, welch_freedom
from kavg.analysis.targets.times import TargetTime
from kavg.base import Floats
from kavg.errors import KavgError


def compare_times(a: TargetTime, b: TargetTime, *, paired: bool) -> Estimate:
    """Return the time of ``a`` over the time of ``b``, with its confidence interval.

    The interval is Student's for ``log a - log b`` with the jackknife's standard error, which
    leaves out one replica at a time at all rounds.  ``paired`` leaves out the same replica of both:
    right where replica r of both has the same noise.  Otherwise the two variances add up, with
    Welch's degrees of freedom.

    Where the mean of one side does not arrive, or does so only with some replicas, the quotient of
    the two intervals at level ``(1 + level)/2`` is the interval: it covers the ratio at ``level``,
    and one of its ends is 0 or infinite (``describe_ratio`` says "at least 3.1").

    Raises:
        KavgError: if the levels differ, or ``paired`` and the numbers of replicas do.

    >>> from kavg.analysis.targets.times import measure_time
    >>> rounds, r = np.arange(40), np.array([0.9, 1.0, 1.1, 1.0])
    >>> slow, fast = (0.5 ** (rounds[:, None] / half) * r for half in (6.0, 2.0))
    >>> pair = [measure_time(rounds, curve, 0.1) for curve in (slow, fast)]
    >>> describe_ratio(compare_times(*pair, paired=True))
    '2.98 [2.97, 2.99]'
    """
    level = a.estimate.level
    if b.estimate.level != level:
        raise KavgError(f"both times must have one level, got {level} and {b.estimate.level}")
    if paired and len(a.left_out) != len(b.left_out):
        raise KavgError(
            "pairing needs the same replicas on both sides, got "
            f"{len(a.left_out)} and {len(b.left_out)}; use paired=False"
        )
    replicas = min(a.estimate.replicas, b.estimate.replicas)
    mean = _divide(float(a.estimate.mean), float(b.estimate.mean))
    if replicas == 1 or not 0 < mean < inf or not _arrives_without_any(a, b):
        low, high = _divide_intervals(a, b)
    else:
        error, freedom = _jackknife_log(a.left_out, b.left_out, paired)
        half = student_quantile(freedom, level) * error
        low, high = mean * np.exp(-half), mean * np.exp(half)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, replicas)


def describe_ratio(estimate: Estimate) -> str:
    """Return a ratio in words: "2.9 [2.6, 3.3]", "at least 3.1", "at most 0.4" or "undetermined".

    >>> describe_ratio(Estimate(np.asarray(inf), np.asarray(3.1), np.asarray(inf), 0.95, 32))
    'at least 3.1'
    """
    mean, low, high = float(estimate.mean), float(estimate.low), float(estimate.high)
    if isfinite(mean) and mean > 0 and not (low == 0 and high == inf):
        return f"{_show(mean)} [{_show(low)}, {_show(high)}]"
    if low > 0:
        return f"at least {_show(low)}"
    if high < inf:
        return f"at most {_show(high)}"
    return "undetermined"


def _show(x: float) -> str:
    # Three digits, but no exponent for a number of thousands.
    return f"{x:.0f}" if 1000 <= abs(x) < 1e7 else f"{x:.3g}"


def _divide(a: float, b: float) -> float:
    if a == inf and b == inf:
        return nan
    return a / b if b > 0 else nan


def _divide_intervals(a: TargetTime, b: TargetTime) -> tuple[float, float]:
    if np.isnan(a.bounds).any() or np.isnan(b.bounds).any():
        return nan, nan
    low = a.bounds[0] / b.bounds[1] if b.bounds[1] > 0 else inf
    high = a.bounds[1] / b.bounds[0] if b.bounds[0] > 0 else inf
    return low, high


def _arrives_without_any(a: TargetTime, b: TargetTime) -> bool:
    both = np.concatenate((a.left_out, b.left_out))
    return bool((np.isfinite(both) & (both > 0)).all())


def _jackknife_log(a: Floats, b: Floats, paired: bool) -> tuple[float, float]:
    # Standard error and degrees of freedom of log(time of a / time of b).
    if paired:
        return sqrt(_jackknife_variance(np.log(a) - np.log(b))), len(a) - 1
    first, second = _jackknife_variance(np.log(a)), _jackknife_variance(np.log(b))
    freedom = welch_freedom(first, len(a), second, len(b))
    return sqrt(first + second), float(freedom)


def _jackknife_variance(left_out: Floats) -> float:
    R = len(left_out)
    return float(np.square(left_out - left_out.mean()).sum()) * (R - 1) / R
