"""Closed forms for block momentum (and averaging, mu = 0) in one eigendirection.

``X^2 - (rho + mu) X + mu`` with ``rho = (1 - gamma h)^K`` governs all (docs/theory.md, 4.1 to 4.5).
Arguments broadcast.  ``kavg.analysis.exact.stationary`` has the same quantities for every linear
rule by solving equations; ``kavg.analysis.exact.nesterov`` the closed forms of Nesterov.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.exact.eigenbasis import as_doubles, geometric_sum
from kavg.base import Floats


def contraction(gamma_h: ArrayLike, K: int) -> Floats:
    """``rho = (1 - gamma h)^K``, what is left of the distance after K noise-free steps (4.1).

    >>> contraction(0.3, K=4).round(4)
    np.float64(0.2401)
    """
    return np.asarray(1 - np.asarray(gamma_h, np.float64))[()] ** K


def round_variance(gamma: ArrayLike, h: ArrayLike, K: int, P: ArrayLike, s2: ArrayLike) -> Floats:
    """``q = gamma^2 (s2/P) sum_{t<K} (1 - gamma h)^(2t)``: noise of the mean over learners (4.1).

    ``s2`` is the variance of one mini-batch gradient in this direction.

    >>> round_variance(gamma=0.5, h=0.0, K=4, P=2, s2=1.0)
    np.float64(0.5)
    """
    step, curvature = as_doubles(gamma, h)
    variance, learners = as_doubles(s2, P)
    return step**2 * variance / learners * geometric_sum((1 - step * curvature) ** 2, K)


def impulse_response(rho: ArrayLike, mu: ArrayLike, N: int) -> Floats:
    """``psi_0 .. psi_N``, first axis N + 1: ``psi_k = (rho + mu) psi_{k-1} - mu psi_{k-2}`` (4.1).

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
    """``-(1 + 2 mu) < rho < 1``, for the mean and the variance alike (4.2).

    >>> is_stable([-1.9, 0.0, 1.0], mu=0.5)
    array([ True,  True, False])
    """
    x, m = as_doubles(rho, mu)
    return (-(1 + 2 * m) < x) & (x < 1)


def largest_gamma_h(K: int, mu: ArrayLike) -> Floats:
    """Stable iff ``0 < gamma h <`` this: 2 for even K, ``1 + (1 + 2 mu)^(1/K)`` for odd (4.2).

    >>> largest_gamma_h(1, [0.0, 0.5]), largest_gamma_h(2, [0.0, 0.5])
    (array([2., 3.]), array([2., 2.]))
    """
    x = np.asarray(mu, np.float64)
    return np.full_like(x, 2.0)[()] if K % 2 == 0 else 1 + (1 + 2 * x) ** (1 / K)


def contraction_rate(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """The spectral radius, by which the mean shrinks a round in the long run (4.2).

    >>> contraction_rate([0.25, 0.5], [0.0, 0.25])
    array([0.25, 0.5 ])
    """
    x, m = as_doubles(rho, mu)
    room = (x + m) ** 2 - 4 * m
    real = (np.abs(x + m) + np.sqrt(np.maximum(room, 0))) / 2
    return np.where(room < 0, np.sqrt(m), real)[()]


def variance_inflation(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """What momentum multiplies the stationary variance by, at equal gamma (4.3).

    ``(1+mu)(1+rho)/((1-mu)(1+rho+2mu))``, below ``1/(1-mu)`` and near it for short rounds.

    >>> variance_inflation([1.0, 0.0], mu=0.5)
    array([2. , 1.5])
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) * (1 + x) / ((1 - m) * (1 + x + 2 * m))


def noise_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """``sum_k psi_k^2 = (1+mu)/((1-mu)(1-rho)(1+rho+2mu))``: stationary ``Var w`` is q times it.

    The C of 4.6; valid where ``is_stable``.

    >>> noise_gain(0.5, 0.0) == 1 / (1 - 0.5**2)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    return (1 + m) / ((1 - m) * (1 - x) * (1 + x + 2 * m))


def lag_correlation(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """``Cov(w_n, w_{n-1}) / Var w = (rho + mu)/(1 + mu)`` at rest (4.3).

    >>> lag_correlation(0.5, 0.0)
    np.float64(0.5)
    """
    x, m = as_doubles(rho, mu)
    return (x + m) / (1 + m)


def momentum_gain(rho: ArrayLike, mu: ArrayLike) -> Floats:
    """``Var v / q = 2/((1-mu)(1+rho+2mu))`` at rest (4.3).

    >>> momentum_gain(0.0, 0.0)
    np.float64(2.0)
    """
    x, m = as_doubles(rho, mu)
    return 2 / ((1 - m) * (1 + x + 2 * m))


def best_mu(rho: ArrayLike) -> Floats:
    """``(1 - sqrt(1 - rho))^2``, the momentum of the least spectral radius; -3 < rho < 1 (4.4).

    A spectrum with all rho in [0, 1) wants that of its largest rho.

    >>> best_mu([0.9, 0.99]).round(4)
    array([0.4675, 0.81  ])
    """
    return np.asarray((1 - np.sqrt(1 - np.asarray(rho, np.float64))) ** 2)[()]


def best_rate(rho: ArrayLike) -> Floats:
    """``|1 - sqrt(1 - rho)|``, the least spectral radius over mu, where averaging has ``|rho|``.

    >>> best_rate(0.99).round(12)
    np.float64(0.9)
    """
    return np.asarray(np.abs(1 - np.sqrt(1 - np.asarray(rho, np.float64))))[()]


def energy(rho: ArrayLike, mu: ArrayLike, w_1: ArrayLike = 1.0) -> Floats:
    """``sum_{n>=1} w_n^2`` of a run without noise, where stable (4.4).

    >>> energy(0.5, 0.0) == 1 / (1 - 0.25)
    np.True_
    """
    x, m = as_doubles(rho, mu)
    above = (1 - m) ** 2 * (1 + m) + 2 * m * (1 - x)
    return np.asarray(w_1, np.float64) ** 2 * above / ((1 - m) * (1 - x) * (1 + x + 2 * m))


def linear_path(n: ArrayLike, *, gamma: float, K: int, mu: float, slope: float) -> Floats:
    """``E w_{n+1} - w_1`` on ``F = slope w`` (4.5).

    ``-gamma K slope/(1-mu) [n - mu (1 - mu^n)/(1-mu)]``.

    >>> linear_path([1, 2, 3], gamma=1.0, K=3, mu=0.5, slope=1.0)
    array([ -3.  ,  -7.5 , -12.75])
    """
    m = np.asarray(n, np.float64)
    return -gamma * K * slope / (1 - mu) * (m - mu * (1 - mu**m) / (1 - mu))
