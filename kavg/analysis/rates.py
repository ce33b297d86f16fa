"""Slopes over ladders: how a measured mean scales with P, K, mu or gamma, with limits."""

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
    """``beta`` of ``m(x) ~ x^beta`` with the limits that hold it at confidence ``level``.

    ``bend`` is the largest distance of a rung from the line, in ``log m``: the ladder is no power
    law where it is large beside what the limits allow.  Limits are NaN for one replica.

    >>> Slope(-1.0, -1.1, -0.9, level=0.95, bend=0.0, replicas=64).holds(-1.0)
    True
    """

    value: float
    low: float
    high: float
    level: float
    bend: float
    replicas: int

    def holds(self, beta: float) -> bool:
        """Does ``beta`` lie within the limits?"""
        return self.low <= beta <= self.high

    def __str__(self) -> str:
        """``-1.004 [-1.021, -0.987]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def slope(x: ArrayLike, samples: ArrayLike, level: float = 0.95) -> Slope:
    """Least squares through ``(log x_i, log m_i)``: ``x (T,)``, ``samples (T, R)``.

    ``m_i`` is the mean of rung i over its R replicas, and the slope ``beta = sum_i c_i log m_i``
    with ``c_i = (l_i - l) / sum (l_i - l)^2``, ``l_i = log x_i``.  To first order (the delta
    method) its error is the mean over replicas of ``u_r = sum_i c_i s_ir / m_i``, so Student's
    limits of the mean of ``u`` are the limits.  They need no model of how the rungs depend on each
    other: runs of one seed share their noise (common random numbers), and whatever that does to the
    slope is in ``u_r``, which is made of one replica's values at all rungs.  What is left out is
    the bias of the logarithm, about ``-(Var m_i)/(2 m_i^2)``, a rung's squared relative error
    over two, below the limits' width once R is in the dozens.

    A fit for each replica would need every value to be positive, and estimates ``E log s``, not
    ``log E s``, which is what a bound is about.  Rungs count alike: weights made from the data
    would make the slope depend on the noise.  For an exact curve give one replica, ``(T, 1)``.

    >>> floor = np.array([[4.4, 3.6], [2.2, 1.8], [1.1, 0.9]])
    >>> str(slope([1, 2, 4], floor))
    '-1.000 [-1.000, -1.000]'
    """
    rungs, s = _validate_ladder(x, samples)
    log_x, m = np.log(rungs), s.mean(axis=1)
    centred = log_x - log_x.mean()
    c = centred / np.sum(centred * centred)
    log_m = np.log(m)
    beta = float(np.sum(c * log_m))
    u = np.sum(c[:, None] * (s / m[:, None] - 1.0), axis=0)
    error = mean_interval(u, level)
    bend = float(np.abs(log_m - log_m.mean() - beta * centred).max())
    return Slope(beta, beta + float(error.low), beta + float(error.high), level, bend, s.shape[1])


def _validate_ladder(x: ArrayLike, samples: ArrayLike) -> tuple[Floats, Floats]:
    rungs, s = np.asarray(x, np.float64), np.asarray(samples, np.float64)
    if rungs.ndim != 1 or s.ndim != 2 or len(rungs) != len(s) or s.shape[1] == 0:
        raise KavgError(
            f"a ladder needs x (T,) and samples (T, R), got shapes {rungs.shape} and {s.shape}"
        )
    if not (np.isfinite(rungs).all() and (rungs > 0).all() and len(np.unique(rungs)) > 1):
        raise KavgError(
            f"x must be finite, above 0 and of at least two values, got {rungs.tolist()}; "
            "a power law has no slope elsewhere"
        )
    means = s.mean(axis=1)
    if not (np.isfinite(means).all() and (means > 0).all()):
        raise KavgError(
            f"the mean of every rung must be finite and above 0, got {means.tolist()}; "
            "leave out rungs that diverged or vanished"
        )
    return rungs, s
