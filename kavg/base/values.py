"""Types of arrays, and the constants that theory needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.ranges import BatchSize, check_ranges

Floats = NDArray[np.floating[Any]]
"""float64, or float32 in the local steps of a run with that precision."""
Indices = NDArray[np.intp]
Precision = Literal["float64", "float32"]
Certainty = Literal["exact", "upper bound", "estimated", "unknown"]
Measure = Callable[[int, Floats], Floats]
"""A recorded quantity: a function of the round ``n`` and ``w (R, d)`` that returns ``(R,)``."""


@dataclass(frozen=True)
class Constant:
    """A number of the theory together with how it was obtained.

    ``how`` is ``"exact"``, ``"upper bound"`` (true, perhaps not attained), ``"estimated"`` (a
    measurement: a verdict that rests on it must say so) or ``"unknown"`` (``value`` is then NaN).
    ``source`` says where the number comes from, or why there is none.

    Raises ``KavgError`` if ``how`` is none of the four, or if a value is NaN and not "unknown".

    >>> Constant(2.0, "exact", "largest eigenvalue")
    Constant(value=2.0, how='exact', source='largest eigenvalue')
    """

    value: float
    how: Certainty
    source: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)
        if isnan(self.value) != (self.how == "unknown"):
            raise KavgError(
                "a constant is NaN if it is unknown, and only then, got "
                f"value={self.value!r} and how={self.how!r}; use unknown_constant(why)"
            )


def unknown_constant(source: str) -> Constant:
    """Return a constant without a value; ``source`` says why there is none.

    >>> unknown_constant("depends on w")
    Constant(value=nan, how='unknown', source='depends on w')
    """
    return Constant(float("nan"), "unknown", source)


@dataclass(frozen=True)
class NoiseConstants:
    """The constants of an oracle's noise that theorems assume.

    One mini-batch gradient ``g`` of learner j has ``E g = grad f_j`` and
    ``E ||g - grad f_j||^2 <= (M + M_v ||grad f_j||^2) / B``; learners differ by
    ``(1/P) sum_j ||grad f_j - grad F||^2 <= zeta2``.  With ``M_v = 0``, ``M`` is the theory's
    ``sigma2``: the variance of the WHOLE gradient vector, not of one coordinate.
    """

    M: Constant
    M_v: Constant
    zeta2: Constant
    B: BatchSize = 1

    def __post_init__(self) -> None:
        check_ranges(self)
