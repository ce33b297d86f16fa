"""Means over replicas and their confidence limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Estimate:
    """A mean over ``replicas`` with the limits that hold it at confidence ``level``.

    ``mean``, ``low`` and ``high`` share one shape: that of the samples without their last axis.
    The limits are NaN where the samples cannot give any: one replica, or a value not finite.

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
    """Student's limits of a mean: ``m -+ t s / sqrt(R)``, ``samples (..., R) -> (...)``.

    ``s`` is the sample standard deviation (divisor ``R - 1``) and ``t`` the quantile
    ``(1 + level) / 2`` of Student's law with ``R - 1`` degrees of freedom (Student 1908,
    Biometrika 6:1).  Assumed: the replicas are independent, and their mean is close to normal,
    which heavy tails (a run near instability) break at any ``R`` one can afford.  The limits are
    pointwise: each holds its own mean with probability ``level``, not all rounds at once.  For the
    difference of two methods use ``paired_difference``, never the overlap of two such intervals.

    >>> series = np.array([[4.0, 4.0, 4.0], [1.0, 2.0, 3.0]])
    >>> mean_interval(series).low.round(3)
    array([ 4.   , -0.484])
    >>> mean_interval([4.0]).low
    array(nan)
    """
    x = _validate_samples(samples, level)
    R = x.shape[-1]
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.asarray(x.mean(axis=-1))
        half = _quantile(R, level) * _standard_deviation(x - mean[..., None]) / np.sqrt(R)
        return Estimate(mean, np.asarray(mean - half), np.asarray(mean + half), level, R)


def paired_difference(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """Limits of the mean of ``a - b``, replica by replica: ``a, b (..., R) -> (...)``.

    Runs of one seed share their noise (common random numbers), so replica r of ``a`` and replica r
    of ``b`` err together, and ``Var(a - b) = Var a + Var b - 2 Cov(a, b)`` is small.  The interval
    is ``mean_interval`` of the differences, under the same assumptions, and stays valid when the
    noise is not shared; it is then only wider.  Axes before the last broadcast.

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
    except ValueError as fault:
        raise KavgError(
            f"cannot pair shapes {first.shape} and {second.shape}; axes before the last must agree"
        ) from fault
    return mean_interval(difference, level)


def _validate_samples(values: ArrayLike, level: float) -> Floats:
    samples = np.asarray(values, dtype=np.float64)
    if samples.ndim == 0 or samples.shape[-1] == 0:
        raise KavgError(
            f"samples need a last axis of at least one replica, got shape {samples.shape}; "
            "give (..., R)"
        )
    if not 0 < level < 1:
        raise KavgError(f"level must lie between 0 and 1, got {level=!r}; use 0.95 for 95 %")
    return samples


def _quantile(R: int, level: float) -> float:
    if R == 1:
        return float("nan")
    # scipy.special has the same quantile as scipy.stats and loads many times faster.
    from scipy.special import stdtrit

    return float(stdtrit(R - 1, 0.5 + level / 2))


def _standard_deviation(centred: Floats) -> Floats:
    # Squares of gradients near convergence underflow, those of a diverging run overflow.
    scale = np.abs(centred).max(axis=-1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    freedom = max(centred.shape[-1] - 1, 1)
    spread = np.sqrt(np.square(centred / scale).sum(axis=-1) / freedom)
    return np.asarray(scale[..., 0] * spread)
