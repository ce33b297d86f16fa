"""Random rotations."""

from __future__ import annotations

import numpy as np

from kavg.base import Floats


def haar_rotation(dim: int, seed: int) -> Floats:
    """An orthogonal matrix ``(dim, dim)``, uniform among all of them.

    Q of the QR factors of a matrix of normals is uniform once the diagonal of R is made
    positive: otherwise its law depends on the signs the factorisation happens to choose.

    >>> Q = haar_rotation(3, seed=0)
    >>> bool(np.allclose(Q.T @ Q, np.eye(3)))
    True
    """
    normals = np.random.Generator(np.random.PCG64(seed)).standard_normal((dim, dim))
    Q, R = np.linalg.qr(normals)
    rotation: Floats = Q * np.copysign(1.0, np.diagonal(R))
    return rotation
