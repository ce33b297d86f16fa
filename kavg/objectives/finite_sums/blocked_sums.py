"""Sums over examples, computed for many points at once in blocks that fit the cache.

A kernel computes the mean gradient over m examples at c points.  An example is one row of each
of the kernel's arrays (features, and targets where they are not folded into the features).  For a
mini-batch the kernel gets the examples taken, ``(c, B, ...)``; for the full gradient it gets all
of them, broadcast: ``(1, n, ...)``.  A row's bits do not depend on its block, because each product
has one fixed shape a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, final

import numpy as np

from kavg.base import Floats, Indices, Precision
from kavg.objectives.elementwise import sum_over_coordinates

BATCH_BLOCK = 2**17
"""Numbers that a mini-batch plan works on at a time: 1 MB, which an L2 cache can hold."""
FULL_BLOCK = 2**21
"""Numbers that a full sum may use for its workspace (16 MB), unless one row needs more."""

Examples = tuple[Floats, ...]
"""Arrays whose rows belong together, ``(n, ...)`` each; in a stack ``(c or 1, m, ...)``."""
ExampleMean = Callable[[Examples, Floats], Floats]
"""From ``examples (1, n, ...)`` and ``x (c, d)`` to a mean over the examples, ``(c,)``."""


class GradientKernel(Protocol):
    """The gradient of a finite sum, in arrays allocated beforehand.

    ``kavg.objectives.finite_sums.empirical_risk.EmpiricalRisk`` is one.
    """

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Allocate arrays for ``rows`` rows of ``m`` examples each, the rows on the first axis."""
        ...

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Mean over the ``m`` examples at each row of ``x (c, d)``, written to ``out (c, d)``."""
        ...


def row_blocks(rows: int, size: int) -> Iterator[slice]:
    """Return slices of at most ``size`` rows, in order.

    >>> list(row_blocks(5, size=2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(a, min(a + size, rows)) for a in range(0, rows, size))


def rows_within(budget: int, kernel: GradientKernel, m: int, more: int = 0) -> int:
    """Return the number of rows that fit into ``budget`` numbers, at least one.

    A row needs the kernel's workspace for ``m`` examples and ``more`` numbers besides.
    """
    row = more + sum(array.size for array in kernel.workspace(1, m))
    return max(1, budget // max(1, row))


@final
class BatchPlan:
    """A planned mini-batch gradient (``kavg.base.BatchGradient``) for up to ``rows`` rows.

    It works through the rows in blocks that stay in the cache, so its workspace does not grow
    with the tile.  Indices must lie in ``0..n-1``; the hot loop does not check them.
    """

    def __init__(
        self, kernel: GradientKernel, examples: Examples, rows: int, B: int, dtype: Precision
    ) -> None:
        """Allocate; ``examples`` are all that batches can be drawn from."""
        self._kernel, self._B = kernel, B
        self._examples = tuple(part.astype(dtype, copy=False) for part in examples)
        # A copy of the examples is counted too: a batch is gathered before the kernel sees it.
        batch = B * sum(part[0].size for part in examples)
        self._rows = rows = min(rows, rows_within(BATCH_BLOCK, kernel, B, more=batch))
        self._taken = tuple(np.empty((rows, B, *part.shape[1:]), dtype) for part in examples)
        self._work = kernel.workspace(rows, B, dtype)
        self._views: dict[int, tuple[Examples, tuple[Floats, ...]]] = {}

    def __call__(self, x: Floats, indices: Indices, out: Floats) -> None:
        """Mean gradient over each row's batch: ``x, out (t, R, d)``, ``indices (t, R, B)``."""
        points = x.reshape(-1, x.shape[-1])
        # copy=False raises where reshape would silently return a copy instead of a view of out.
        gradients = out.reshape(points.shape, copy=False)
        batches = indices.reshape(-1, self._B)
        if len(points) <= self._rows:
            self._block(points, batches, gradients)
            return
        for rows in row_blocks(len(points), self._rows):
            self._block(points[rows], batches[rows], gradients[rows])

    def _block(self, x: Floats, batches: Indices, out: Floats) -> None:
        c = len(x)
        if c not in self._views:
            # Views made once: slicing costs as much as a small product, and only a few c occur.
            self._views[c] = tuple(a[:c] for a in self._taken), tuple(a[:c] for a in self._work)
        taken, work = self._views[c]
        for part, rows in zip(self._examples, taken, strict=True):
            # "clip" is the mode in which NumPy writes straight to out; the others copy first.
            part.take(batches, axis=0, out=rows, mode="clip")
        self._kernel.mean_gradient(taken, x, out, work)


def full_gradient(kernel: GradientKernel, examples: Examples, x: Floats, out: Floats) -> Floats:
    """Write the mean gradient over all examples at every row of ``x (..., d)`` to ``out``.

    Unlike ``BatchPlan`` it allocates its workspace at each call: it is for evaluations, not for
    local steps.
    """
    # Rows with gaps between their numbers take another path through BLAS, with other bits.
    points = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    gradients = np.empty_like(points)
    n, stack = len(examples[0]), _one_stack(examples)
    rows_at_once = min(len(points), rows_within(FULL_BLOCK, kernel, n))
    work = kernel.workspace(rows_at_once, n)
    for rows in row_blocks(len(points), max(1, rows_at_once)):
        a = points[rows]
        part = tuple(array[: len(a)] for array in work)
        kernel.mean_gradient(stack, a, gradients[rows], part)
    out[...] = gradients.reshape(x.shape)
    return out


def mean_at_rows(
    mean: ExampleMean, kernel: GradientKernel, examples: Examples, x: Floats
) -> Floats:
    """Return a mean over all examples at every row of ``x``: ``(..., d) -> (...)``.

    Blocks have the size that suits the kernel's workspace, which bounds the memory of ``mean`` too.
    """
    points = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    values = np.empty(len(points))
    stack = _one_stack(examples)
    for rows in row_blocks(len(points), rows_within(FULL_BLOCK, kernel, len(examples[0]))):
        values[rows] = mean(stack, points[rows])
    return values.reshape(x.shape[:-1])


def _one_stack(examples: Examples) -> Examples:
    return tuple(part[None] for part in examples)


def mean_over_examples(values: Floats) -> Floats:
    """Return the mean over the last axis, ``(c, m) -> (c,)``, with the same bits in any block.

    >>> mean_over_examples(np.array([[1.0, 2.0], [3.0, 5.0]]))
    array([1.5, 4. ])
    """
    mean: Floats = sum_over_coordinates(values) / values.shape[-1]
    return mean
