"""Quadratics that differ from learner to learner (docs/theory.md, 4.7).

``f_j = (h_j/2)(w - c_j)^2``.  Where all curvatures agree, learners differ by linear shifts alone
and the fixed point is the optimum: that case is ``zeta2`` of ``exact.moment_recursion``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.exact.eigenbasis import geometric_sum
from kavg.base import Floats


def mean_contraction(h: ArrayLike, gamma: float, K: int) -> Floats:
    """Return ``mean_j (1 - gamma h_j)^K``, the rho of the mean dynamics; ``h (P, ...) -> (...)``.

    >>> mean_contraction([0.5, 1.0], gamma=1.0, K=1)
    np.float64(0.25)
    """
    return np.asarray(np.mean((1 - gamma * np.asarray(h, np.float64)) ** K, axis=0))[()]


def fixed_point(h: ArrayLike, c: ArrayLike, gamma: float, K: int) -> Floats:
    """Return the fixed point of noise-free rounds, which does not depend on mu.

    ``sum_j (1-rho_j) c_j / sum_j (1-rho_j)`` for ``h, c (P, ...) -> (...)``.  It differs from
    ``optimum`` unless K = 1 or all ``h_j`` are equal.

    >>> fixed_point([1.0, 2.0], [0.0, 1.0], gamma=0.25, K=1) == optimum([1.0, 2.0], [0.0, 1.0])
    np.True_
    >>> fixed_point([1.0, 2.0], [0.0, 1.0], gamma=0.5, K=3).round(4)
    np.float64(0.5333)
    """
    curvature = np.asarray(h, np.float64)
    # (1 - rho_j)/gamma, without the difference of two numbers near 1.
    weight = curvature * geometric_sum(1 - gamma * curvature, K)
    return _weighted(weight, c)


def optimum(h: ArrayLike, c: ArrayLike) -> Floats:
    """Return ``sum_j h_j c_j / sum_j h_j``, the minimiser of the mean of the f_j.

    ``h, c (P, ...) -> (...)``.

    >>> optimum([1.0, 3.0], [0.0, 1.0])
    np.float64(0.75)
    """
    return _weighted(np.asarray(h, np.float64), c)


def _weighted(weight: Floats, c: ArrayLike) -> Floats:
    total: Floats = np.sum(weight * np.asarray(c, np.float64), axis=0)
    return np.asarray(total / np.sum(weight, axis=0))[()]
