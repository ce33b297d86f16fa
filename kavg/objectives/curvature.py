"""Curvature of objectives: a bound from the features, or norms of the Hessian at given points."""

from __future__ import annotations

import numpy as np

from kavg.base import Floats, Objective


def hessian_norms(objective: Objective, points: Floats, steps: int = 50, seed: int = 0) -> Floats:
    """Return ``||Hessian||`` at each of ``points (S, d)``, by power iteration: ``(S,)``.

    Products with the Hessian are central differences of the gradient along ``v``:
    ``H v ~ (grad F(x + h v) - grad F(x - h v)) / (2 h)``.  A value is never above the norm (but
    for rounding, about 1e-8 relative) and approaches it as ``steps`` grows.

    >>> from kavg.objectives import Quadratic
    >>> hessian_norms(Quadratic((-4.0, 1.0)), np.ones((1, 2))).round(6)
    array([4.])
    """
    v = np.random.Generator(np.random.Philox(key=seed)).standard_normal(points.shape)
    ahead, behind = np.empty_like(points), np.empty_like(points)
    # Truncation grows with h^2, rounding with 1/h: the cube root of the precision balances them.
    h = 6e-6 * np.maximum(1.0, np.abs(points).max(axis=-1, keepdims=True))
    norm = _row_norms(v)
    for _ in range(steps):
        # The norm is 0 where the gradient does not change along v.
        v /= np.maximum(norm, np.finfo(np.float64).tiny)
        objective.grad(points + h * v, ahead)
        objective.grad(points - h * v, behind)
        v = (ahead - behind) / (2 * h)
        norm = _row_norms(v)
    return norm[:, 0]


def _row_norms(v: Floats) -> Floats:
    norms: Floats = np.sqrt(np.vecdot(v, v))[:, None]
    return norms


def largest_eigenvalue(features: Floats) -> float:
    """Return the largest eigenvalue of ``A^T A / n`` for features ``A (n, p)``.

    It is computed from the smaller of ``A^T A`` and ``A A^T``.

    >>> largest_eigenvalue(np.array([[3.0, 0.0], [0.0, 1.0]]))
    4.5
    """
    n, p = features.shape
    with np.errstate(over="ignore", invalid="ignore"):
        gram = features.T @ features if p <= n else features @ features.T
    if not np.isfinite(gram).all():  # it overflowed, and LAPACK fails on infinite numbers
        return np.inf
    return float(np.linalg.eigvalsh(gram)[-1] / n)
