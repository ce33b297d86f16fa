"""Sums over the coordinates that keep their bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kavg.base import Floats


def over_coordinates(terms: Floats) -> Floats:
    """``sum_i terms_i`` at every row, ``(..., d) -> (...)``: how a separable F adds up.

    A row sum has the same bits whatever rows stand beside it only if the last axis is the
    fastest in memory, so anything else is copied first.

    >>> over_coordinates(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    total: Floats = np.add.reduce(np.ascontiguousarray(terms), axis=-1)
    return total


Scalars = Mapping[np.dtype[Any], tuple[Floats, ...]]


def scalars(*values: float) -> Scalars:
    """Arrays without axes, by the precision of what they are combined with.

    A call with a Python number takes two thirds more where arrays are small (docs/design.md).

    >>> (half,) = scalars(0.5)[np.dtype("float32")]
    >>> (np.ones(2, np.float32) * half).dtype
    dtype('float32')
    """
    with np.errstate(over="ignore", under="ignore"):  # as in single precision anyway
        return {
            np.dtype(kind): tuple(np.array(value, kind) for value in values)
            for kind in ("float64", "float32")
        }
