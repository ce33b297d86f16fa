"""Student's t: the quantile of a confidence interval, and the p-values of a mean (Student 1908)."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np

from kavg.base import Floats


def t_quantile(replicas: int, level: float) -> float:
    """Return the quantile ``(1 + level)/2`` of Student's t for a mean of ``replicas`` values.

    It has ``replicas - 1`` degrees of freedom; NaN for one replica, which has no spread.

    >>> round(t_quantile(3, 0.95), 3)
    4.303
    """
    if replicas == 1:
        return nan
    # scipy.special has the same quantile as scipy.stats and loads many times faster.
    from scipy.special import stdtrit

    return float(stdtrit(replicas - 1, 0.5 + level / 2))


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
