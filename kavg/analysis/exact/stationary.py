"""Stability and the stationary law of every linear outer rule.

Computed from the rule's matrix; ``kavg.analysis.exact.heavy_ball`` and ``.nesterov`` have closed
forms for their own rule (docs/theory.md, 4.2, 4.3 and 4.8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.exact.eigenbasis import as_doubles
from kavg.analysis.exact.linear_rules import LinearRule
from kavg.base import Floats
from kavg.errors import KavgError


def trace_and_determinant(A: Floats) -> tuple[Floats, Floats]:
    """Return trace and determinant of ``A (..., 2, 2)``, each ``(...)``.

    >>> trace_and_determinant(np.array([[0.25, 0.5], [-0.75, 0.5]]))
    (np.float64(0.75), np.float64(0.5))
    """
    det = A[..., 0, 0] * A[..., 1, 1] - A[..., 0, 1] * A[..., 1, 0]
    return A[..., 0, 0] + A[..., 1, 1], det


def spectral_radius(trace: ArrayLike, det: ArrayLike) -> Floats:
    """Return the larger modulus of the roots of ``X^2 - trace X + det``; arrays broadcast.

    >>> spectral_radius([0.5, 0.0, 3.0], [0.0, 0.25, 2.0])
    array([0.5, 0.5, 2. ])
    """
    t, b = as_doubles(trace, det)
    room = t**2 - 4 * b
    # np.where evaluates both branches, so each root is cut at 0 where the other is taken.
    real = (np.abs(t) + np.sqrt(np.maximum(room, 0))) / 2
    return np.where(room < 0, np.sqrt(np.maximum(b, 0)), real)[()]


def stability_interval(rule: LinearRule) -> tuple[float, float]:
    """Return the open interval of rho with both roots inside the unit circle (Jury's criterion).

    ``1 - t + b > 0``, ``1 + t + b > 0`` and ``b < 1``, where trace t and determinant b are affine
    in rho.  (nan, nan) if there is no such rho.

    >>> from kavg.analysis.exact import linear_rule
    >>> from kavg.outer import BlockMomentum
    >>> stability_interval(linear_rule(BlockMomentum(mu=0.25), gamma=1.0))
    (-1.5, 1.0)
    """
    # Trace and determinant are affine in rho, so two values of rho determine them.
    (t_0, t_1), (b_0, b_1) = trace_and_determinant(rule.matrix([0.0, 1.0]))
    t, b = (float(t_0), float(t_1 - t_0)), (float(b_0), float(b_1 - b_0))
    sides = [(1 - t[0] + b[0], b[1] - t[1]), (1 + t[0] + b[0], b[1] + t[1]), (1 - b[0], -b[1])]
    low, high = -np.inf, np.inf
    for constant, slope in sides:
        if slope > 0:
            low = max(low, -constant / slope)
        elif slope < 0:
            high = min(high, -constant / slope)
        # A side that does not depend on rho holds everywhere or nowhere.
        elif constant <= 0:
            return np.nan, np.nan
    return (low, high) if low < high else (np.nan, np.nan)


def largest_stable_gamma_h(rule: LinearRule, K: int) -> float:
    """Return the ``gamma h`` beyond which ``rho = (1 - gamma h)^K`` is never stable.

    Every smaller ``gamma h > 0`` is stable too, except for even K around ``gamma h = 1`` where an
    interval that does not reach down to 0 leaves a gap (``alpha > 2 (1 + mu)``).

    >>> from kavg.analysis.exact import linear_rule
    >>> from kavg.outer import NesterovMomentum
    >>> largest_stable_gamma_h(linear_rule(NesterovMomentum(mu=0.5), gamma=1.0), K=1)
    1.5
    """
    low, high = stability_interval(rule)
    if K % 2 == 0:
        return float(1 + max(high, 0.0) ** (1 / K))
    return float(1 - np.sign(low) * abs(low) ** (1 / K))


def stationary_covariance(rule: LinearRule, rho: ArrayLike, q: ArrayLike) -> Floats:
    """Return the stationary covariance of (w, v), which solves ``V = A V A^T + q g g^T``.

    ``rho, q (d,) -> (d, 2, 2)``.

    Raises:
        KavgError: if the spectral radius is 1 or more in some direction.

    >>> from kavg.analysis.exact import linear_rule
    >>> from kavg.outer import BlockMomentum
    >>> rule = linear_rule(BlockMomentum(mu=0.0), gamma=1.0)
    >>> stationary_covariance(rule, [0.5], [0.75])[0, 0, 0]
    np.float64(1.0)
    """
    A = rule.matrix(rho)
    worst = float(np.max(spectral_radius(*trace_and_determinant(A))))
    if not worst < 1:
        raise KavgError(
            f"there is no stationary law: the spectral radius is {worst:.6g}, and it must be below"
            f" 1; rho must lie inside {stability_interval(rule)}"
        )
    # vec(A V A^T) = (A kron A) vec V.
    kron = np.einsum("...ij,...kl->...ikjl", A, A).reshape(*A.shape[:-2], 4, 4)
    push = np.kron(rule.push, rule.push) * np.asarray(q, np.float64)[..., None]
    solved = np.linalg.solve(np.eye(4) - kron, push[..., None])
    return np.asarray(solved.reshape(A.shape))
