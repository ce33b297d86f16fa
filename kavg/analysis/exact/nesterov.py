"""Closed forms for Nesterov block momentum, and for its near twin (docs/theory.md, 4.8).

``NesterovMomentum`` of kavg stores anchor and look-ahead apart.  Code that stores the look-ahead as
the next anchor implements another method, with another polynomial (``anchor_polynomial``).
Arguments broadcast; ``kavg.analysis.exact.heavy_ball`` has the same for block momentum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.exact.eigenbasis import as_doubles
from kavg.base import Floats


def polynomial(rho: ArrayLike, mu: ArrayLike) -> tuple[Floats, Floats]:
    """Return ``(trace, det)`` of the characteristic polynomial ``X^2 - (1+mu) rho X + mu rho``.

    >>> polynomial(0.5, 0.5)
    (np.float64(0.75), np.float64(0.25))
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * x, m * x


def anchor_polynomial(rho: ArrayLike, mu: ArrayLike) -> tuple[Floats, Floats]:
    """Return ``(trace, det)`` of ``X^2 - (1+mu) rho X + mu``, the polynomial of the twin.

    >>> anchor_polynomial(0.5, 0.5)
    (np.float64(0.75), np.float64(0.5))
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * x, m[()]


def is_nesterov_stable(rho: ArrayLike, mu: ArrayLike) -> NDArray[np.bool_]:
    """True if ``-1/(1 + 2 mu) < rho < 1``; for rho below 0 less stable than block momentum.

    >>> is_nesterov_stable([-0.6, -0.4], mu=0.5)
    array([False,  True])
    """
    x, m = as_doubles(rho, mu)
    return (-1 / (1 + 2 * m) < x) & (x < 1)


def nesterov_largest_gamma_h(K: int, mu: ArrayLike) -> Floats:
    """Return the end of the stable range ``0 < gamma h < end``.

    2 for even K, ``1 + (1 + 2 mu)^(-1/K)`` for odd K.

    >>> nesterov_largest_gamma_h(1, 0.5)
    np.float64(1.5)
    """
    x = np.asarray(mu, np.float64)
    return np.full_like(x, 2.0)[()] if K % 2 == 0 else 1 + (1 + 2 * x) ** (-1 / K)


def nesterov_best_mu(rho: ArrayLike) -> Floats:
    """Return ``(1-s)/(1+s)``, ``s = sqrt(1 - rho)``, the momentum of the least spectral radius.

    Valid for ``0 <= rho < 1``; the spectral radius there is ``1 - s``.

    >>> nesterov_best_mu(0.75)
    np.float64(0.3333333333333333)
    """
    s: Floats = np.sqrt(1 - np.asarray(rho, np.float64))
    return (1 - s) / (1 + s)


def nesterov_noise_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return the stationary ``Var w / q``, valid where stable.

    ``(1+mu rho)/((1-mu rho)(1-rho)(1+(1+2mu)rho))``.

    >>> nesterov_noise_gain(0.5, 0.0) == 1 / (1 - 0.5**2)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    return (1 + m * x) / ((1 - m * x) * (1 - x) * (1 + (1 + 2 * m) * x))
