"""Helpers of separable objectives, which are sums of functions of one coordinate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats, Objective, PlannedGradient, Precision
from kavg.elementary.sums import sum_over_coordinates as sum_over_coordinates

Own = TypeVar("Own", bound=Objective)
Scalars = Mapping[np.dtype[Any], tuple[Floats, ...]]
"""Numbers as 0-d arrays, by precision."""


def as_scalars(*values: float) -> Scalars:
    """Return numbers as 0-d arrays, for operands of either precision.

    A NumPy call on 80 numbers takes 0.36 microseconds with a Python number, 0.22 with a 0-d array
    (docs/design.md, "Numbers without axes").

    >>> (half,) = as_scalars(0.5)[np.dtype("float32")]
    >>> (np.ones(2, np.float32) * half).dtype
    dtype('float32')
    """
    # A number beyond float32 becomes infinite or 0, as products in float32 would.
    with np.errstate(over="ignore", under="ignore"):
        return {
            np.dtype(kind): tuple(np.array(value, kind) for value in values)
            for kind in ("float64", "float32")
        }


def as_floats(x: ArrayLike) -> Floats:
    """Return ``x`` itself if it is of a run's precision, and else as float64.

    >>> as_floats(np.array([3, 4])), as_floats(np.ones(1, np.float32)).dtype
    (array([3., 4.]), dtype('float32'))
    """
    given = np.asarray(x)
    return given if given.dtype in (np.float64, np.float32) else given.astype(np.float64)


def write_gradient(
    plan: Callable[[Own, int, int, Precision], PlannedGradient],
    objective: Own,
    x: Floats,
    out: Floats,
) -> Floats:
    """Write the gradient at ``x (..., d)`` to ``out`` by a plan made for this call; return ``out``.

    ``plan`` is ``plan_gradient`` of the class whose ``grad`` calls this, since that of a class
    derived from it may be another, or None.  ``x`` may hold fewer or more than d numbers a row.

    >>> from kavg.objectives import SineBowl
    >>> bowl, out = SineBowl(dim=1), np.empty((1, 1))
    >>> write_gradient(SineBowl.plan_gradient, bowl, np.array([[1.0]]), out).round(3)
    array([[4.728]])
    """
    dtype: Precision = "float32" if out.dtype == np.float32 else "float64"
    given = np.asarray(x, dtype)
    written = out if out.dtype == given.dtype else np.empty(out.shape, dtype)
    rows = -(-given.size // objective.dim)
    plan(objective, rows, 1, dtype)(given, written)
    if written is not out:
        np.copyto(out, written, casting="same_kind")
    return out
