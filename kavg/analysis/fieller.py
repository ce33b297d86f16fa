"""The ratio of two means over the same replicas, with Fieller's limits."""

from __future__ import annotations

from math import isfinite, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate
from kavg.base import Floats
from kavg.errors import KavgError


def ratio_interval(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Estimate:
    """``E a / E b`` for ``a, b (R,)`` with limits: the ratios q that Student's test of
    ``E (a - q b) = 0`` does not reject (Fieller 1954, J. R. Statist. Soc. B 16:175).

    Where ``b`` does not vary they are the ends of ``mean_interval(a)`` divided by ``b``.  They are
    NaN where the mean of ``b`` does not differ significantly from 0, or where ``mean_interval``
    gives NaN.

    >>> found = ratio_interval([1.0, 2.0, 3.0], [4.0, 4.0, 4.0])
    >>> f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"
    '0.50 [-0.12, 1.12]'
    """  # noqa: D205 - one sentence
    above, below = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if above.ndim != 1 or above.shape != below.shape:
        raise KavgError(f"needs two rows of the same replicas, got {above.shape}, {below.shape}")
    R = len(above)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = float(above.mean() / below.mean()) if R else nan
    low, high = _fieller_roots(above, below, level) if R > 1 and isfinite(mean) else (nan, nan)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, R)


def _fieller_roots(above: Floats, below: Floats, level: float) -> tuple[float, float]:
    """The two roots q of ``(mean(a) - q mean(b))^2 = t^2 var(a - q b)/R``."""
    from scipy.special import stdtrit

    R = len(above)
    scale = float(np.abs(above).max()) or 1.0  # small gradients must not underflow when squared
    x, y, unit = above / scale, below / float(below.mean()), scale / float(below.mean())
    weight = float(stdtrit(R - 1, 0.5 + level / 2)) ** 2 / R
    # Centred by hand: a constant row must have a variance of 0 and not of rounding.
    u, v = x - x.mean(), y - y.mean() if float(np.ptp(below)) > 0 else np.zeros(R)
    square = 1.0 - weight * float(v @ v) / (R - 1)
    middle = float(x.mean()) - weight * float(u @ v) / (R - 1)
    constant = float(x.mean()) ** 2 - weight * float(u @ u) / (R - 1)
    inside = middle * middle - square * constant
    if square <= 0 or inside < 0:
        return nan, nan
    root = sqrt(inside)
    return unit * (middle - root) / square, unit * (middle + root) / square
