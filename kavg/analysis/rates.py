"""Power laws: the exponent with which a mean scales in P, K or gamma, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import mean_interval
from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True)
class Slope:
    """``beta`` of ``m(x) ~ x^beta`` with its confidence interval ``[low, high]`` at ``level``.

    ``residual`` is the largest distance of a point from the line, in ``log m``: there is no power
    law where it is large compared with the interval.  The interval is NaN for one replica.

    >>> Slope(-1.0, -1.1, -0.9, level=0.95, residual=0.0, replicas=64).contains(-1.0)
    True
    """

    value: float
    low: float
    high: float
    level: float
    residual: float
    replicas: int

    def contains(self, beta: float) -> bool:
        """True if ``beta`` lies in the confidence interval."""
        return self.low <= beta <= self.high

    def __str__(self) -> str:
        """Return ``beta`` with its interval, such as ``-1.004 [-1.021, -0.987]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def slope(x: ArrayLike, samples: ArrayLike, level: float = 0.95) -> Slope:
    """Fit ``(log x_i, log m_i)`` by least squares: ``x (T,)``, ``samples (T, R)``.

    ``m_i`` is the mean of point i over its R replicas, and the slope ``beta = sum_i c_i log m_i``
    with ``c_i = (l_i - l) / sum (l_i - l)^2``, ``l_i = log x_i``.  To first order (the delta
    method) its error is the mean over replicas of ``u_r = sum_i c_i s_ir / m_i``, so the confidence
    interval is that of the mean of ``u``.  It needs no model of how the points depend on each
    other: runs of one seed share their noise (common random numbers), and whatever that does to the
    slope is in ``u_r``, which is made of one replica's values at all points.  Not included is
    the bias of the logarithm, about ``-(Var m_i)/(2 m_i^2)``, half the squared relative error of
    a point, which is below the interval's width for R in the dozens.

    A fit for each replica would need every value to be positive, and estimates ``E log s``, not
    ``log E s``, which is what a bound is about.  All points have the same weight: weights made from
    the data would make the slope depend on the noise.  For an exact curve give one replica,
    ``(T, 1)``.

    Raises:
        KavgError: if the shapes disagree, or an x or a mean is not finite and positive.

    >>> floor = np.array([[4.4, 3.6], [2.2, 1.8], [1.1, 0.9]])
    >>> str(slope([1, 2, 4], floor))
    '-1.000 [-1.000, -1.000]'
    """
    points, s = _validate_points(x, samples)
    log_x, m = np.log(points), s.mean(axis=1)
    centred = log_x - log_x.mean()
    c = centred / np.sum(centred * centred)
    log_m = np.log(m)
    beta = float(np.sum(c * log_m))
    # One number a replica: what its values at all points add to the error of the slope.
    u = np.sum(c[:, None] * (s / m[:, None] - 1.0), axis=0)
    error = mean_interval(u, level)
    residual = float(np.abs(log_m - log_m.mean() - beta * centred).max())
    return Slope(
        beta, beta + float(error.low), beta + float(error.high), level, residual, s.shape[1]
    )


def _validate_points(x: ArrayLike, samples: ArrayLike) -> tuple[Floats, Floats]:
    points, s = np.asarray(x, np.float64), np.asarray(samples, np.float64)
    if points.ndim != 1 or s.ndim != 2 or len(points) != len(s) or s.shape[1] == 0:
        raise KavgError(
            f"a slope needs x (T,) and samples (T, R), got shapes {points.shape} and {s.shape}"
        )
    if not (np.isfinite(points).all() and (points > 0).all() and len(np.unique(points)) > 1):
        raise KavgError(
            f"x must be finite, above 0 and of at least two values, got {points.tolist()}; "
            "a power law has no slope elsewhere"
        )
    means = s.mean(axis=1)
    if not (np.isfinite(means).all() and (means > 0).all()):
        raise KavgError(
            f"the mean of every point must be finite and above 0, got {means.tolist()}; "
            "leave out points that diverged or vanished"
        )
    return points, s
