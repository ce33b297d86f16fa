"""The ratio of two means, over the same replicas or independent ones, with Fieller's interval."""

from __future__ import annotations

from math import isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate
from kavg.analysis.student import student_quantile, t_quantile, welch_freedom
from kavg.base import Floats
from kavg.errors import KavgError


def ratio_interval(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Return ``E a / E b`` with its confidence interval, for replicas ``a, b (R,)``.

    The interval holds the ratios q for which Student's test does not reject ``E (a - q b) = 0``
    (Fieller 1954, J. R. Statist. Soc. B 16:175).  For a constant ``b`` it is ``mean_interval(a)``
    divided by ``b``.  It is NaN where the mean of ``b`` does not differ significantly from 0, where
    all ratios or none would do, and where ``mean_interval`` would be NaN.

    Raises:
        KavgError: if ``a`` and ``b`` are not one row of replicas each, of the same length.

    >>> found = ratio_interval([1.0, 2.0, 3.0], [4.0, 4.0, 4.0])
    >>> f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"
    '0.50 [-0.12, 1.12]'
    """
    above, below = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if above.ndim != 1 or above.shape != below.shape:
        raise KavgError(
            f"a ratio needs two rows of the same replicas, got {above.shape} and {below.shape}"
        )
    R = len(above)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = float(above.mean() / below.mean()) if R else nan
        known = R > 1 and isfinite(mean) and isfinite(below.mean())
    low, high = _fieller_roots(above, below, level) if known else (nan, nan)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, R)


def _fieller_roots(above: Floats, below: Floats, level: float) -> tuple[float, float]:
    # The two roots q of (mean(a) - q mean(b))^2 = t^2 var(a - q b)/R.
    R = len(above)
    # Squares of small gradients would underflow, so both rows are scaled first.
    scale = float(np.abs(above).max()) or 1.0
    x, y, unit = above / scale, below / float(below.mean()), scale / float(below.mean())
    weight = t_quantile(R, level) ** 2 / R
    # Centred by hand: a constant row must have a variance of 0 and not of rounding.
    u, v = x - x.mean(), y - y.mean() if float(np.ptp(below)) > 0 else np.zeros(R)
    ratio = float(x.mean())
    # Of the residuals, which vanish where a is a multiple of b.
    z = u - ratio * v
    square = 1.0 - weight * float(v @ v) / (R - 1)
    middle = -weight * float(z @ v) / (R - 1)
    return _solve_ratio(square, middle, weight * float(z @ z) / (R - 1), ratio, unit)


def unpaired_ratio(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Return ``E a / E b`` with its confidence interval, for independent ``a (R,)`` and ``b (S,)``.

    As ``ratio_interval``, with Welch's test of ``E a - q E b = 0``: the variance is
    ``s_a^2/R + q^2 s_b^2/S``, its degrees of freedom those at the ratio that is estimated.

    Raises:
        KavgError: if ``a`` and ``b`` are not one row of replicas each.

    >>> found = unpaired_ratio([1.0, 2.0, 3.0], [4.0, 4.0])
    >>> f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"
    '0.50 [-0.12, 1.12]'
    """
    above, below = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if above.ndim != 1 or below.ndim != 1 or not above.size or not below.size:
        raise KavgError(
            f"a ratio needs two rows of replicas, got shapes {above.shape} and {below.shape}"
        )
    R, S = len(above), len(below)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = float(above.mean() / below.mean())
        known = min(R, S) > 1 and isfinite(mean) and isfinite(below.mean())
    low, high = _unpaired_roots(above, below, level) if known else (nan, nan)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, min(R, S))


def _unpaired_roots(above: Floats, below: Floats, level: float) -> tuple[float, float]:
    # The two roots q of (mean(a) - q mean(b))^2 = t^2 (var(a)/R + q^2 var(b)/S).
    scale = float(np.abs(above).max()) or 1.0
    x, y, unit = above / scale, below / float(below.mean()), scale / float(below.mean())
    X = float(x.mean())
    first, second = _variance_of_mean(x), _variance_of_mean(y)
    # The degrees of freedom depend on q; those at the estimate keep the equation quadratic.
    freedom = welch_freedom(first, len(x), X * X * second, len(y))
    weight = float(student_quantile(freedom, level)) ** 2
    variance = weight * (first + X * X * second)
    return _solve_ratio(1.0 - weight * second, weight * X * second, variance, X, unit)


def _variance_of_mean(x: Floats) -> float:
    # A constant row must have a variance of 0 and not of rounding.
    return float(x.var(ddof=1)) / len(x) if float(np.ptp(x)) > 0 else 0.0


def _solve_ratio(
    square: float, middle: float, variance: float, ratio: float, unit: float
) -> tuple[float, float]:
    # q = ratio + x, with the roots x of square x^2 - 2 middle x - variance, in this unit.
    if square <= 0:
        return nan, nan
    # The distances from the ratio, as ends found by themselves would lose their digits.
    root = sqrt(middle * middle + square * variance)
    ends = [unit * (ratio + (middle + sign * root) / square) for sign in (-1.0, 1.0)]
    return min(ends), max(ends)
