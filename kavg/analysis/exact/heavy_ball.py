"""Closed forms for block momentum (and averaging, mu = 0) in one eigendirection.

All follow from the characteristic polynomial ``X^2 - (rho + mu) X + mu`` with
``rho = (1 - gamma h)^K``; numbers in brackets are sections of docs/theory.md.  Arguments broadcast.
``kavg.analysis.exact.stationary`` has the same quantities for every linear rule by solving
equations; ``kavg.analysis.exact.nesterov`` the closed forms of Nesterov.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.exact.eigenbasis import as_doubles, geometric_sum
from kavg.analysis.exact.stationary import spectral_radius
from kavg.base import Floats


def contraction(gamma_h: ArrayLike, K: int) -> Floats:
    """Return ``rho = (1 - gamma h)^K``, the factor of the distance in K noise-free steps (4.1).

    >>> contraction(0.3, K=4).round(4)
    np.float64(0.2401)
    """
    # [()] makes an array without axes a number, so that scalars in give scalars out.
    return np.asarray(1 - np.asarray(gamma_h, np.float64))[()] ** K


def round_variance(gamma: ArrayLike, h: ArrayLike, K: int, P: ArrayLike, s2: ArrayLike) -> Floats:
    """Return the variance q that a round's noise adds to the mean over learners (4.1).

    ``q = gamma^2 (s2/P) sum_{t<K} (1 - gamma h)^(2t)``, where ``s2`` is the variance of one
    mini-batch gradient in this direction.

    >>> round_variance(gamma=0.5, h=0.0, K=4, P=2, s2=1.0)
    np.float64(0.5)
    """
    step, curvature = as_doubles(gamma, h)
    variance, learners = as_doubles(s2, P)
    return step**2 * variance / learners * geometric_sum((1 - step * curvature) ** 2, K)


def impulse_response(rho: ArrayLike, mu: ArrayLike, N: int) -> Floats:
    """Return ``psi_0, ..., psi_N``, the response to a unit impulse (4.1); first axis N + 1.

    ``psi_k = (rho + mu) psi_{k-1} - mu psi_{k-2}`` with ``psi_0 = 1`` and ``psi_{-1} = 0``.  Then
    ``E w_{n+1} = w_1 (psi_n - mu psi_{n-1})`` and ``Var w_{n+1} = q sum_{k<n} psi_k^2``.

    >>> impulse_response(0.5, 0.5, N=3)
    array([1. , 1. , 0.5, 0. ])
    """
    x, m = as_doubles(rho, mu)
    psi = [np.zeros_like(x + m), np.ones_like(x + m)]
    for _ in range(N):
        psi.append((x + m) * psi[-1] - m * psi[-2])
    return np.array(psi[1:])


def is_stable(rho: ArrayLike, mu: ArrayLike) -> NDArray[np.bool_]:
    """True if ``-(1 + 2 mu) < rho < 1``: mean and variance then converge (4.2).

    >>> is_stable([-1.9, 0.0, 1.0], mu=0.5)
    array([ True,  True, False])
    """
    x, m = as_doubles(rho, mu)
    return (-(1 + 2 * m) < x) & (x < 1)


def largest_gamma_h(K: int, mu: ArrayLike) -> Floats:
    """Return the end of the stable range ``0 < gamma h < end`` (4.2).

    2 for even K, ``1 + (1 + 2 mu)^(1/K)`` for odd K.

    >>> largest_gamma_h(1, [0.0, 0.5]), largest_gamma_h(2, [0.0, 0.5])
    (array([2., 3.]), array([2., 2.]))
    """
    x = np.asarray(mu, np.float64)
    return np.full_like(x, 2.0)[()] if K % 2 == 0 else 1 + (1 + 2 * x) ** (1 / K)


def contraction_rate(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return the spectral radius, the long-run factor of the mean in a round (4.2).

    >>> contraction_rate([0.25, 0.5], [0.0, 0.25])
    array([0.25, 0.5 ])
    """
    x, m = as_doubles(rho, mu)
    return spectral_radius(x + m, m)


def variance_inflation(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return the factor of the stationary variance due to momentum, at equal gamma (4.3).

    ``(1+mu)(1+rho)/((1-mu)(1+rho+2mu))``, below ``1/(1-mu)`` and near it for short rounds.

    >>> variance_inflation([1.0, 0.0], mu=0.5)
    array([2. , 1.5])
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * (1 + x) / ((1 - m) * (1 + x + 2 * m))


def noise_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return ``C = sum_k psi_k^2``, the stationary ``Var w / q``, valid where stable (4.3, 4.6).

    ``C = (1+mu)/((1-mu)(1-rho)(1+rho+2mu))``.

    >>> noise_gain(0.5, 0.0) == 1 / (1 - 0.5**2)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) / ((1 - m) * (1 - x) * (1 + x + 2 * m))


def lag_correlation(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return the stationary ``Cov(w_n, w_{n-1}) / Var w = (rho + mu)/(1 + mu)`` (4.3).

    >>> lag_correlation(0.5, 0.0)
    np.float64(0.5)
    """
    x, m = as_doubles(rho, mu)
    return (x + m) / (1 + m)


def momentum_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """Return the stationary ``Var v / q = 2/((1-mu)(1+rho+2mu))`` (4.3).

    >>> momentum_gain(0.0, 0.0)
    np.float64(2.0)
    """
    x, m = as_doubles(rho, mu)
    return 2 / ((1 - m) * (1 + x + 2 * m))


def best_mu(rho: ArrayLike) -> Floats:
    """Return ``(1 - sqrt(1 - rho))^2``, the momentum of the least spectral radius (4.4).

    Valid for ``-3 < rho < 1``.  For a spectrum with all rho in [0, 1) the largest decides.

    >>> best_mu([0.9, 0.99]).round(4)
    array([0.4675, 0.81  ])
    """
    return np.asarray((1 - np.sqrt(1 - np.asarray(rho, np.float64))) ** 2)[()]


def best_rate(rho: ArrayLike) -> Floats:
    """Return ``|1 - sqrt(1 - rho)|``, the least spectral radius over mu (4.4).

    Averaging has ``|rho|``: momentum takes the root of the distance to 1.

    >>> best_rate(0.99).round(12)
    np.float64(0.9)
    """
    return np.asarray(np.abs(1 - np.sqrt(1 - np.asarray(rho, np.float64))))[()]


def energy(rho: ArrayLike, mu: ArrayLike, w_1: ArrayLike = 1.0) -> Floats:
    """Return ``sum_{n>=1} w_n^2`` of a run without noise, valid where stable (4.4).

    ``w_1^2 ((1-mu)^2 (1+mu) + 2mu(1-rho)) / ((1-mu)(1-rho)(1+rho+2mu))``.

    >>> energy(0.5, 0.0) == 1 / (1 - 0.25)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    above = (1 - m) ** 2 * (1 + m) + 2 * m * (1 - x)
    return np.asarray(w_1, np.float64) ** 2 * above / ((1 - m) * (1 - x) * (1 + x + 2 * m))


def linear_path(n: ArrayLike, *, gamma: float, K: int, mu: float, slope: float) -> Floats:
    """Return ``E w_{n+1} - w_1`` on the linear function ``F = slope w`` (4.5).

    ``-gamma K slope/(1-mu) [n - mu (1 - mu^n)/(1-mu)]``.

    >>> linear_path([1, 2, 3], gamma=1.0, K=3, mu=0.5, slope=1.0)
    array([ -3.  ,  -7.5 , -12.75])
    """
    m = np.asarray(n, np.float64)
    return -gamma * K * slope / (1 - mu) * (m - mu * (1 - mu**m) / (1 - mu))
