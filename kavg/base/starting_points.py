"""What a law of starts must return: finite numbers, one point for each replica."""

from __future__ import annotations

import numpy as np

from kavg.arrays import as_array
from kavg.base.objectives import Start
from kavg.base.values import Floats
from kavg.errors import KavgError


def check_points(law: Start, drawn: object, shape: tuple[int, int]) -> Floats:
    """Return a copy of what a law drew; raise ``KavgError`` unless it is ``(R, d)`` finite numbers.

    >>> from kavg.starts import Normal
    >>> check_points(Normal(), [[1, 2]], (1, 2))
    array([[1., 2.]])
    """
    points = as_array(drawn, f"what {type(law).__name__}.draw returns")
    real = points.dtype.kind in "fiu" and np.isfinite(points).all()
    if points.shape != shape or not real:
        raise KavgError(
            f"{type(law).__name__}.draw must return finite numbers of shape {shape}, one start for "
            f"each replica, got {type(drawn).__name__} of shape {points.shape}"
        )
    # A copy, as the law may keep the array that it returned.
    return np.array(points, np.float64)
