"""Products of rows and a matrix in an order of their own, where BLAS chooses by the processor.

``y_i = sum_k x_k A_ki``: the products of G rows of ``A`` at a time are halved as the terms of
``kavg.elementary.sums``, and what is left of each such group is added up in their order.  The shape
of ``A`` alone chooses G, and products and sums are rounded one by one.  So neither the number of
rows of x, nor their layout, nor fused operations can matter.

With n rows of ``A`` a product takes part in at most ``k = n / G + log2(G) + 2`` additions: the
error is below ``(k + 1) u / (1 - (k + 1) u)`` times ``sum_k |x_k A_ki|``.

Source: Higham 2002, "Accuracy and stability of numerical algorithms", section 3.1.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple, final

import numpy as np

from kavg.base import Floats
from kavg.elementary.row_blocks import Rows, cut_rows, plan_blocks
from kavg.elementary.sums import halve
from kavg.errors import KavgError

SPREAD: Final = 131_072
"""Numbers at most in the spread diagonal of ``DiagonalProducts``, or a row: 1 MB."""
BLOCK: Final = 16_384
"""Products that are computed at once: 128 kB, which an L2 cache holds beside the same of a matrix.

It decides the order of addition, so another number means other bits.
"""


@final
class RowProducts:
    """Planned ``x A`` at every row of ``x (t, R, n)``, for a fixed ``A (n, m)``.

    The first call with a shape allocates its workspace, so later ones allocate nothing.  ``x``,
    ``A`` and ``out`` have one precision.

    >>> out = np.empty((1, 1, 2))
    >>> RowProducts(np.array([[1.0, 2.0], [0.0, 3.0]]))(np.array([[[1.0, 1.0]]]), out)
    >>> out
    array([[[1., 5.]]])
    """

    def __init__(self, matrix: Floats) -> None:
        self.matrix = np.ascontiguousarray(matrix)
        n, m = matrix.shape
        self.G = max(1, min(n, BLOCK // m))
        self.plans: dict[tuple[int, ...], list[tuple[Rows, _BlockProduct]]] = {}

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write ``x A`` at every row of ``x (t, R, n)`` to ``out (t, R, m)``.

        Raises ``KavgError`` if their shapes do not fit ``A``, at the first call with that of x.
        """
        for (learners, replicas), multiply in self.plans.get(x.shape) or self._plan(x, out):
            multiply(x[learners, replicas], out[learners, replicas])

    def _plan(self, x: Floats, out: Floats) -> list[tuple[Rows, _BlockProduct]]:
        n, m = self.matrix.shape
        if x.shape[2:] != (n,) or out.shape != (*x.shape[:2], m):
            raise KavgError(
                f"x (t, R, {n}) and out (t, R, {m}) are needed, got {x.shape} and {out.shape}"
            )
        most = BLOCK // self.matrix.size
        make = partial(_BlockProduct, self.matrix, self.G)
        plan = self.plans[x.shape] = plan_blocks(x.shape[0], x.shape[1], most, make)
        return plan


@final
class DiagonalProducts:
    """Planned ``h x`` at every row of ``x (t, R, d)``, ``t <= tile``, for a fixed ``h (d,)``.

    It holds h for a block of rows, as rows of few numbers would cost 10 ns each, but no more than
    ``SPREAD`` numbers or one row: beyond, blocks of x are multiplied one after another.

    >>> out = np.empty((2, 1, 2))
    >>> DiagonalProducts(np.array([1.0, 3.0]), tile=2, R=1)(np.ones((2, 1, 2)), out)
    >>> out[1]
    array([[1., 3.]])
    """

    def __init__(self, diagonal: Floats, tile: int, R: int) -> None:
        d = len(diagonal)
        self.most = max(1, SPREAD // d)
        learners, replicas = next(cut_rows(max(1, tile), R, self.most))
        self.grid = np.broadcast_to(diagonal, (learners.stop, replicas.stop, d)).copy()

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the products of ``x (t, R, d)`` to ``out``."""
        t, R, _ = x.shape
        grid = self.grid
        if len(grid) >= t and grid.shape[1] == R:
            np.multiply(x, grid[:t], out)
            return
        for learners, replicas in cut_rows(t, R, self.most):
            part = x[learners, replicas]
            np.multiply(part, grid[: part.shape[0], : part.shape[1]], out[learners, replicas])


def multiply_rows(x: Floats, matrix: Floats, out: Floats | None = None) -> Floats:
    """Return ``x A`` at every row, ``(..., n) -> (..., m)``, for ``A (n, m)``, in ``out`` if given.

    ``RowProducts`` has the same bits and allocates nothing.

    >>> multiply_rows(np.array([1.0, 1.0]), np.array([[1.0, 2.0], [0.0, 3.0]]))
    array([1., 5.])
    """
    n, m = matrix.shape
    result: Floats = np.empty((*x.shape[:-1], m), matrix.dtype) if out is None else out
    rows = result.reshape(1, -1, m)
    RowProducts(matrix)(x.reshape(1, -1, n), rows)
    if not np.may_share_memory(rows, result):  # reshaped by a copy, as result has gaps
        result[...] = rows.reshape(result.shape)
    return result


class _Group(NamedTuple):
    """Some rows of the matrix, ``(G, t, R, m)`` as the workspace of their products with x."""

    rows: slice
    matrix: Floats
    products: Floats
    additions: list[tuple[Floats, Floats]]


@final
class _BlockProduct:
    """The workspace of a block of ``(t, R)`` rows: contiguous arrays of one shape.

    NumPy multiplies these without an iterator, whose buffers it would allocate at each call and
    which take longer than to write each number of x as often as it is needed.
    """

    def __init__(self, matrix: Floats, G: int, t: int, R: int) -> None:
        n, m = matrix.shape
        first, later = (np.empty((size, t, R, m), matrix.dtype) for size in (G, min(G, n - G)))
        self.groups = []
        for k in range(0, n, G):
            part = matrix[k : k + G, None, None]
            products = (later if k else first)[: len(part)]
            additions = halve(products)
            if k:
                additions.append((first[0], products[0]))
            if t * R > 1:
                part = np.broadcast_to(part, products.shape).copy()
            self.groups.append(_Group(slice(k, k + G), part, products, additions))
        self.total = first[0]

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the products of the rows of ``x (t, R, n)`` to ``out (t, R, m)``."""
        columns = x.transpose(2, 0, 1)[..., None]
        for rows, matrix, products, additions in self.groups:
            np.copyto(products, columns[rows])
            np.multiply(products, matrix, out=products)
            for lower, upper in additions:
                np.add(lower, upper, lower)
        np.copyto(out, self.total)
