"""Starting points of a run: one for all replicas, or one that a law draws for each."""

from __future__ import annotations

import numpy as np

from kavg.arrays import as_array
from kavg.base.objectives import Start
from kavg.base.values import Floats
from kavg.errors import KavgError
from kavg.text import shorten_repr


def repeat_point(start: float | tuple[float, ...], shape: tuple[int, int]) -> Floats:
    """Return one starting point as that of every replica, ``(R, d)``.

    Raises ``KavgError`` if it is neither one number nor ``d`` of them.

    >>> repeat_point((1.0, 2.0), (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    given, dim = np.asarray(start), shape[1]
    if given.shape not in ((), (dim,)):
        raise KavgError(
            f"start must be one finite number or {dim} of them (one for each coordinate), "
            f"got {shorten_repr(start)} of shape {given.shape}"
        )
    # A copy, as a broadcast array is read-only and one row for all replicas.
    return np.broadcast_to(given, shape).copy()


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
