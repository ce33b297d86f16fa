"""Ratios of two times to target: the speed-up of a method, also where one did not arrive."""

from __future__ import annotations

from math import exp, inf, isfinite, isnan, log, nan, sqrt

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.targets.times import TargetTime
from kavg.base import Floats
from kavg.errors import KavgError


def compare_times(a: TargetTime, b: TargetTime, *, paired: bool) -> Estimate:
    """Return the time of ``a`` over the time of ``b``, with its confidence interval.

    The two intervals are combined on the logarithmic scale: with lower and upper arms ``l_a, u_a``
    of log a, those of log b, and the correlation r of the two times, the arms of the ratio are
    ``sqrt(l_a^2 + u_b^2 - 2 r l_a u_b)`` below and ``sqrt(u_a^2 + l_b^2 - 2 r u_a l_b)`` above (Zou
    and Donner 2008, Stat. Med. 27:1693), so that they may be unequal, or without end.  ``paired``
    takes r from the replicas' values at the two times: right where replica r of both has the same
    noise.  Otherwise r is 0, as it is for the rules ``stays`` and ``first``: their ends are whole
    records, whose rounding does not cancel.

    Where the mean of one side does not arrive, the quotient of the two intervals at level
    ``(1 + level)/2`` is the interval: it covers the ratio at ``level``, and one of its ends is 0 or
    infinite (``describe_ratio`` says "at least 3.1").

    Raises:
        KavgError: if the levels differ, or ``paired`` and the numbers of replicas do.

    >>> from kavg.analysis.targets.times import measure_time
    >>> rounds, r = np.arange(40), np.array([0.9, 1.0, 1.1, 1.0])
    >>> slow, fast = (0.5 ** (rounds[:, None] / half) * r for half in (6.0, 2.0))
    >>> pair = [measure_time(rounds, curve, 0.1) for curve in (slow, fast)]
    >>> describe_ratio(compare_times(*pair, paired=True))
    '2.98 [2.94, 3.02]'
    """
    level = a.estimate.level
    if b.estimate.level != level:
        raise KavgError(f"both times must have one level, got {level} and {b.estimate.level}")
    if paired and len(a.times) != len(b.times):
        raise KavgError(
            "pairing needs the same replicas on both sides, got "
            f"{len(a.times)} and {len(b.times)}; use paired=False"
        )
    mean = _divide(float(a.estimate.mean), float(b.estimate.mean))
    if 0 < mean < inf:
        r = _correlate(a, b) if paired and a.rule == b.rule == "isotonic" else 0.0
        below, above = _combine_arms(a, b, r)
        low, high = mean * exp(-below), mean * exp(above)
    else:
        low, high = _divide_intervals(a, b)
    replicas = min(a.estimate.replicas, b.estimate.replicas)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, replicas)


def describe_ratio(estimate: Estimate) -> str:
    """Return a ratio in words: "2.91 [2.60, 3.30]", "at least 3.1", "at most 0.4", "undetermined".

    "infinite" if the second is at its target from the start, and the first is not.

    >>> describe_ratio(Estimate(np.asarray(inf), np.asarray(3.1), np.asarray(inf), 0.95, 32))
    'at least 3.1'
    >>> describe_ratio(Estimate(np.asarray(4.13), np.asarray(4.0), np.asarray(4.29), 0.95, 32))
    '4.13 [4.00, 4.29]'
    """
    mean, low, high = float(estimate.mean), float(estimate.low), float(estimate.high)
    if isfinite(mean) and mean > 0 and not (low == 0 and high == inf):
        factor, first, last = (_pad_factor(_format_factor(x)) for x in (mean, low, high))
        return f"{factor} [{first}, {last}]"
    if low == inf:
        return "infinite"
    if low > 0:
        return f"at least {_format_factor(low)}"
    if high < inf:
        return f"at most {_format_factor(high)}"
    return "undetermined"


def _pad_factor(text: str) -> str:
    # 4 beside 4.13 would look like another precision.
    digits = len(text.replace(".", "").lstrip("0"))
    if not text.replace(".", "").isdigit() or not 0 < digits < 3:
        return text
    return (text if "." in text else f"{text}.") + "0" * (3 - digits)


def _format_factor(x: float) -> str:
    # Three digits, but no exponent for a number of thousands.
    return f"{x:.0f}" if 1000 <= abs(x) < 1e7 else f"{x:.3g}"


def _divide(a: float, b: float) -> float:
    # Both infinite, or a start that is at its target already: no ratio.
    if a == inf and b == inf:
        return nan
    return a / b if b > 0 else nan


def _divide_intervals(a: TargetTime, b: TargetTime) -> tuple[float, float]:
    if np.isnan(a.bounds).any() or np.isnan(b.bounds).any():
        return nan, nan
    # Two ends at (1 + level)/2 each: by Bonferroni the quotient covers at the level.
    if b.bounds[1] == 0:
        # b is at its target from the start: the ratio is infinite, or none if a may be too.
        return (inf if a.bounds[0] > 0 else 0.0), inf
    return a.bounds[0] / b.bounds[1], a.bounds[1] / b.bounds[0] if b.bounds[0] > 0 else inf


def _combine_arms(a: TargetTime, b: TargetTime, r: float) -> tuple[float, float]:
    (lower_a, upper_a), (lower_b, upper_b) = _log_arms(a.estimate), _log_arms(b.estimate)
    return _combine(lower_a, upper_b, r), _combine(upper_a, lower_b, r)


def _log_arms(estimate: Estimate) -> tuple[float, float]:
    mean, low, high = float(estimate.mean), float(estimate.low), float(estimate.high)
    return (log(mean / low) if low > 0 or isnan(low) else inf), log(high / mean)


def _combine(x: float, y: float, r: float) -> float:
    if inf in (x, y):
        return inf
    # Rounding may leave a little below 0 where r is 1.
    square = x * x + y * y - 2 * r * x * y
    return sqrt(max(square, 0.0)) if not isnan(square) else nan


def _correlate(a: TargetTime, b: TargetTime) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        x, y = (_centre(values) for values in (a.at_target, b.at_target))
        scale = sqrt(float(x @ x)) * sqrt(float(y @ y))
    # Where one side has no spread it has no arms, and any correlation does.
    return min(max(float(x @ y) / scale, -1.0), 1.0) if scale > 0 else 0.0


def _centre(values: Floats) -> Floats:
    # In units in which no square underflows.
    centred = values - values.mean()
    return np.asarray(centred / (float(np.abs(centred).max()) or 1.0))
