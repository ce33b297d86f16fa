"""Numbers and estimates as values that JSON can hold."""

from __future__ import annotations

import math

from kavg.analysis.estimate import Estimate
from kavg.base import Floats


def json_number(value: float | Floats) -> float | None:
    """Return a number as a float; None (``null``) if not finite, which JSON cannot hold.

    >>> json_number(0.5), json_number(float("inf"))
    (0.5, None)
    """
    return float(value) if math.isfinite(value) else None


def json_estimate(estimate: Estimate) -> dict[str, float | None]:
    """Return the mean and the ends of the confidence interval, by name.

    >>> from kavg.analysis.estimate import mean_interval
    >>> json_estimate(mean_interval([2.5]))
    {'mean': 2.5, 'low': None, 'high': None}
    """
    return {name: json_number(getattr(estimate, name)) for name in ("mean", "low", "high")}
