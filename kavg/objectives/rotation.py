"""Random rotations, of exact operations alone: the same bits on any machine."""

from __future__ import annotations

import numpy as np

from kavg.base import Floats
from kavg.elementary.sums import halve, sum_squares
from kavg.oracles.normals import draw_normals
from kavg.oracles.streams import Purpose


def haar_rotation(dim: int, seed: int) -> Floats:
    """Return an orthogonal matrix ``(dim, dim)``, uniform (Haar) among all of them.

    It is a product of reflections.  If ``Q`` is uniform among the orthogonal matrices of order
    k - 1, and s H takes the first axis to the direction of k normals (H a reflection, s a sign),
    then ``s H diag(1, Q)`` is uniform among those of order k.  QR factors of a matrix of normals
    are as uniform, but LAPACK's have other bits on other processors.

    Source: Stewart 1980, "The efficient generation of random orthogonal matrices with an
    application to condition estimators"; the sign: Mezzadri 2007, "How to generate random matrices
    from the classical compact groups".

    >>> Q = haar_rotation(3, seed=0)
    >>> bool(np.allclose(Q.T @ Q, np.eye(3)))
    True
    """
    normals = draw_normals(seed, Purpose.ROTATION, dim, dim, range(1))[0]
    rotation, room = np.eye(dim), np.empty(dim * dim)
    rotation[-1, -1] = np.copysign(1.0, normals[0, 0])
    for k in range(2, dim + 1):
        _reflect(rotation[-k:, -k:], normals[k - 1, :k], room[: k * k].reshape(k, k))
    return rotation


def _reflect(Q: Floats, x: Floats, products: Floats) -> None:
    """Replace ``Q (k, k)`` by ``s H Q``, where ``s H`` takes the first axis to ``x / ||x||``.

    ``H = I - u u^T / (||x|| |u_0|)`` with ``u = x - s ||x|| e_0``, and s is minus the sign of
    ``x_0``, so that nothing cancels.  ``x`` and ``products (k, k)`` are overwritten.
    """
    norm = np.sqrt(sum_squares(x))
    if norm == 0:  # no direction, and that of the first axis is as good as any
        return
    s = -np.copysign(1.0, x[0])
    x[0] -= s * norm
    np.multiply(x[:, None], Q, out=products)
    for lower, upper in halve(products):
        np.add(lower, upper, out=lower)
    np.multiply(x[:, None], products[0] / (norm * abs(x[0])), out=products)
    if s > 0:
        np.subtract(Q, products, out=Q)
    else:
        np.subtract(products, Q, out=Q)
