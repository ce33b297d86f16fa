"""Closed forms for Nesterov block momentum, and for its near twin (docs/theory.md, 4.8).

The anchor and the look-ahead kept apart is the ``NesterovMomentum`` of kavg.  The look-ahead kept
as the next anchor, as some code has it, is another method with another polynomial.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.exact.eigenbasis import as_doubles
from kavg.base import Floats


def polynomial(rho: ArrayLike, mu: ArrayLike) -> tuple[Floats, Floats]:
    """``(trace, det)`` of ``X^2 - (1+mu) rho X + mu rho``.

    >>> polynomial(0.5, 0.5)
    (np.float64(0.75), np.float64(0.25))
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * x, m * x


def anchor_polynomial(rho: ArrayLike, mu: ArrayLike) -> tuple[Floats, Floats]:
    """``(trace, det)`` of ``X^2 - (1+mu) rho X + mu``: the look-ahead kept as the next anchor.

    >>> anchor_polynomial(0.5, 0.5)
    (np.float64(0.75), np.float64(0.5))
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * x, m[()]


def is_nesterov_stable(rho: ArrayLike, mu: ArrayLike) -> NDArray[np.bool_]:
    """``-1/(1 + 2 mu) < rho < 1``: for rho below 0 less stable than block momentum.

    >>> is_nesterov_stable([-0.6, -0.4], mu=0.5)
    array([False,  True])
    """
    x, m = as_doubles(rho, mu)
    return (-1 / (1 + 2 * m) < x) & (x < 1)


def nesterov_largest_gamma_h(K: int, mu: ArrayLike) -> Floats:
    """Stable iff ``0 < gamma h <`` this: 2 for even K, ``1 + (1 + 2 mu)^(-1/K)`` for odd.

    >>> nesterov_largest_gamma_h(1, 0.5)
    np.float64(1.5)
    """
    x = np.asarray(mu, np.float64)
    return np.full_like(x, 2.0)[()] if K % 2 == 0 else 1 + (1 + 2 * x) ** (-1 / K)


def nesterov_best_mu(rho: ArrayLike) -> Floats:
    """``(1-s)/(1+s)``, ``s = sqrt(1 - rho)``, for 0 <= rho < 1; the rate there is ``1 - s``.

    >>> nesterov_best_mu(0.75)
    np.float64(0.3333333333333333)
    """
    s: Floats = np.sqrt(1 - np.asarray(rho, np.float64))
    return (1 - s) / (1 + s)


def nesterov_noise_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Stationary ``Var w / q = (1+mu rho)/((1-mu rho)(1-rho)(1+(1+2mu)rho))``.

    >>> nesterov_noise_gain(0.5, 0.0) == 1 / (1 - 0.5**2)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    return (1 + m * x) / ((1 - m * x) * (1 - x) * (1 + (1 + 2 * m) * x))
