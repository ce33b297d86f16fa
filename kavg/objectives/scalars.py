"""The numbers of a formula, in the form that NumPy takes quickest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kavg.base import Floats

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
