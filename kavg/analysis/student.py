"""Student's t: the quantile of a confidence interval, and the p-values of a mean (Student 1908)."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats


def t_quantile(replicas: int, level: float) -> float:
    """Return the quantile ``(1 + level)/2`` of Student's t for a mean of ``replicas`` values.

    It has ``replicas - 1`` degrees of freedom; NaN for one replica, which has no spread.

    >>> round(t_quantile(3, 0.95), 3)
    4.303
    """
    if replicas == 1:
        return nan
    return float(student_quantile(replicas - 1, level))


def student_quantile(freedom: ArrayLike, level: float) -> Floats:
    """Return the quantile ``(1 + level)/2`` of Student's t, ``(...)`` for ``freedom (...)``.

    >>> student_quantile([1.0, 2.0], 0.95).round(3)
    array([12.706,  4.303])
    """
    # scipy.special has the same quantile as scipy.stats and loads many times faster.
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.asarray(freedom, np.float64), 0.5 + level / 2))


def welch_freedom(a: ArrayLike, R_a: int, b: ArrayLike, R_b: int) -> Floats:
    """Return the degrees of freedom of a difference of means with variances ``a`` and ``b (...)``.

    ``(a + b)^2 / (a^2/(R_a - 1) + b^2/(R_b - 1))``, with a and b the squared standard errors of the
    two means (Welch 1938, Biometrika 29:350); ``R_a + R_b - 2`` where both are 0.

    >>> welch_freedom(1.0, 11, 1.0, 11), welch_freedom(1.0, 11, 0.0, 5)
    (array(20.), array(10.))
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    total = first + second
    # Shares, as squares of small variances would underflow.
    unit = np.where(total > 0, total, 1.0)
    x, y = first / unit, second / unit
    below = x * x / max(R_a - 1, 1) + y * y / max(R_b - 1, 1)
    return np.asarray(np.where(total > 0, 1.0 / np.where(below > 0, below, 1.0), R_a + R_b - 2.0))


def one_sided_p_values(x: Floats) -> tuple[float, float] | None:
    """Return the p-values of "E x >= 0" and "E x <= 0" for replicas ``x (R,)``.

    ``T = mean(x) / (s / sqrt(R))`` with the sample standard deviation s; the two add up to 1.  None
    where T is undefined: for one replica, or replicas that are all equal.

    >>> below, above = one_sided_p_values(np.array([1.0, 2.0, 3.0]))
    >>> round(below, 3), round(above, 3)
    (0.963, 0.037)
    >>> one_sided_p_values(np.array([1.0])) is None
    True
    """
    R = len(x)
    # T does not depend on the unit of x, but squares of a run that is about to diverge overflow.
    scaled = x / (float(np.abs(x).max()) or 1.0)
    error = float(scaled.std(ddof=1)) / sqrt(R) if R > 1 else 0.0
    if not error > 0:
        return None
    from scipy.special import stdtr

    T = float(scaled.mean()) / error
    return float(stdtr(R - 1, T)), float(stdtr(R - 1, -T))
