"""Means over replicas with their confidence intervals (Student's t)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.student import student_quantile, t_quantile, welch_freedom
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Confidence, check_range


@final
@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean over ``replicas`` with its confidence interval ``[low, high]`` at ``level``.

    ``mean``, ``low`` and ``high`` share one shape: that of the samples without their last axis.
    The interval is NaN where the samples do not determine it: one replica, or a value not finite.

    >>> estimate = mean_interval([1.0, 2.0, 3.0])
    >>> f"{estimate.mean:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
    '2.00 [-0.48, 4.48]'
    """

    mean: Floats
    low: Floats
    high: Floats
    level: float
    replicas: int


def mean_interval(samples: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the confidence interval of a mean, ``m -+ t s / sqrt(R)``: ``(..., R) -> (...)``.

    ``s`` is the sample standard deviation (divisor ``R - 1``) and ``t`` the quantile
    ``(1 + level) / 2`` of Student's t with ``R - 1`` degrees of freedom (Student 1908,
    Biometrika 6:1).  Assumed: the replicas are independent, and their mean is close to normal,
    which heavy tails (a run near instability) break at any affordable ``R``.  Intervals are
    pointwise: each covers its own mean with probability ``level``, not all rounds at once.  For the
    difference of two methods use ``paired_difference``, never the overlap of two such intervals.

    Raises:
        KavgError: if there is no replica or ``level`` is not inside (0, 1).

    >>> series = np.array([[4.0, 4.0, 4.0], [1.0, 2.0, 3.0]])
    >>> mean_interval(series).low.round(3)
    array([ 4.   , -0.484])
    >>> mean_interval([4.0]).low
    array(nan)
    """
    x = _validate_samples(samples, level)
    R = x.shape[-1]
    # A run that diverged has infinite values: the interval is NaN, and a warning says no more.
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.asarray(x.mean(axis=-1))
        half = t_quantile(R, level) * _standard_deviation(x - mean[..., None]) / np.sqrt(R)
        return Estimate(mean, np.asarray(mean - half), np.asarray(mean + half), level, R)


def clip_interval(estimate: Estimate, low: float, high: float) -> Estimate:
    """Return the estimate with its interval inside ``[low, high]``, where its mean is there too."""
    # A mean outside shows that the range is wrong, which its interval must not hide.
    inside = (low <= estimate.mean) & (estimate.mean <= high)
    lower, upper = (
        np.where(inside, np.clip(end, low, high), end) for end in (estimate.low, estimate.high)
    )
    return replace(estimate, low=lower, high=upper)


def paired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the confidence interval of the mean of ``a - b``, replica by replica.

    ``a, b (..., R) -> (...)``; axes before the last broadcast.  Runs of one seed share their noise
    (common random numbers), so the errors of replica r of ``a`` and of ``b`` are correlated, and
    ``Var(a - b) = Var a + Var b - 2 Cov(a, b)`` is small.  The interval is ``mean_interval`` of the
    differences, under the same assumptions, and stays valid when the noise is not shared; it is
    then only wider.

    Raises:
        KavgError: if the two have different numbers of replicas or shapes that do not broadcast.

    >>> shared = np.array([0.0, 5.0, -7.0, 3.0])
    >>> gap = paired_difference(shared + [1.1, 0.9, 1.0, 1.0], shared)
    >>> f"{gap.mean:.2f} [{gap.low:.2f}, {gap.high:.2f}]"
    '1.00 [0.87, 1.13]'
    """
    first, second = _validate_samples(a, level), _validate_samples(b, level)
    R = first.shape[-1]
    if second.shape[-1] != R:
        raise KavgError(
            f"pairing needs the same replicas on both sides, got {R} and {second.shape[-1]}; "
            "cut the longer one, [..., :R]: the first R replicas do not depend on how many follow"
        )
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            difference = first - second
    except ValueError as error:
        raise KavgError(
            f"cannot pair shapes {first.shape} and {second.shape}; axes before the last must agree"
        ) from error
    return mean_interval(difference, level)


def unpaired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the confidence interval of ``E a - E b`` for independent samples (Welch).

    ``a (..., R), b (..., S) -> (...)``; axes before the last broadcast.  The standard error is
    ``sqrt(s_a^2/R + s_b^2/S)`` and t has ``welch_freedom``; the two may have unlike variances.
    Runs that share their noise need ``paired_difference``: this interval is then much too
    wide, or too narrow where what they share is of opposite sign.  ``replicas`` is the smaller of R
    and S.

    Raises:
        KavgError: if shapes do not broadcast or ``level`` is not inside (0, 1).

    >>> gap = unpaired_difference([2.0, 3.0, 4.0], [1.0, 2.0])
    >>> f"{gap.mean:.2f} [{gap.low:.2f}, {gap.high:.2f}]"
    '1.50 [-0.99, 3.99]'
    """
    first, second = _validate_samples(a, level), _validate_samples(b, level)
    R, S = first.shape[-1], second.shape[-1]
    with np.errstate(invalid="ignore", over="ignore"):
        means = [np.asarray(x.mean(axis=-1)) for x in (first, second)]
        errors = [
            _standard_deviation(x - m[..., None]) / np.sqrt(x.shape[-1])
            for x, m in zip((first, second), means, strict=True)
        ]
        try:
            difference, error = means[0] - means[1], np.hypot(*errors)
        except ValueError as mismatch:
            raise KavgError(
                f"cannot compare shapes {first.shape} and {second.shape}; axes before the last "
                "must agree"
            ) from mismatch
        unit = np.where(error > 0, error, 1.0)
        freedom = welch_freedom(np.square(errors[0] / unit), R, np.square(errors[1] / unit), S)
        half = student_quantile(freedom, level) * error
        half = half if min(R, S) > 1 else np.full_like(half, np.nan)
    return Estimate(
        difference, np.asarray(difference - half), np.asarray(difference + half), level, min(R, S)
    )


def _validate_samples(values: ArrayLike, level: float) -> Floats:
    samples = np.asarray(values, dtype=np.float64)
    if samples.ndim == 0 or samples.shape[-1] == 0:
        raise KavgError(
            f"samples need a last axis of at least one replica, got shape {samples.shape}; "
            "give (..., R)"
        )
    check_range(Confidence, "level", level)
    return samples


def _standard_deviation(centred: Floats) -> Floats:
    # Scaled: squares of gradients near convergence underflow, those of a diverging run overflow.
    scale = np.abs(centred).max(axis=-1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    freedom = max(centred.shape[-1] - 1, 1)
    spread = np.sqrt(np.square(centred / scale).sum(axis=-1) / freedom)
    return np.asarray(scale[..., 0] * spread)
