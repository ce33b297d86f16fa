"""What the finite sums share: mini-batch plans and full sums, rows in blocks.

A family gives one kernel: the mean gradient over m examples at c points.  An example is a row of
each of the family's arrays (features, and targets where they are not folded in).  A mini-batch
hands it the examples taken, ``(c, B, ...)``; the full gradient all of them, broadcast
``(1, n, ...)``.
A row's bits do not depend on its block: each product has one fixed shape a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, final

import numpy as np

from kavg.base import Floats, Indices, Precision
from kavg.errors import at_least_one
from kavg.objectives.elementwise import over_coordinates

CACHE = 2**17
"""Numbers a mini-batch plan works on at a time: 1 MB, which an L2 cache may hold."""
ROOM = 2**21
"""Numbers a full sum may use for its workspace (16 MB), unless one row needs more."""

Examples = tuple[Floats, ...]
"""Arrays whose rows belong together, ``(n, ...)`` each; in a stack ``(c or 1, m, ...)``."""
Mean = Callable[[Examples, Floats], Floats]
"""``examples (1, n, ...), x (c, d)`` to a mean over the examples, ``(c,)``."""


class Family(Protocol):
    """The gradient of a finite sum, given its workspace."""

    def workspace(self, rows: int, m: int, dtype: Precision = "float64") -> tuple[Floats, ...]:
        """Arrays for ``rows`` rows of ``m`` examples each, the rows on the first axis."""
        ...

    def mean_gradient(
        self, examples: Examples, x: Floats, out: Floats, work: tuple[Floats, ...]
    ) -> None:
        """Mean over the ``m`` examples at each row of ``x (c, d)``, written to ``out (c, d)``."""
        ...


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices of at most ``size`` rows, in order.

    >>> list(blocks(5, size=2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(a, min(a + size, rows)) for a in range(0, rows, size))


def rows_within(budget: int, family: Family, m: int, more: int = 0) -> int:
    """How many rows of ``m`` examples (and ``more`` numbers) fit in ``budget``, at least one."""
    row = more + sum(array.size for array in family.workspace(1, m))
    return max(1, budget // max(1, row))


@final
class Plan:
    """A planned mini-batch gradient, see ``kavg.base.BatchGradient``.

    It works through the rows in blocks that stay in the cache, so its workspace does not grow
    with the tile.  Indices must lie in ``0..n-1``; the hot loop does not check them.
    """

    def __init__(
        self,
        family: Family,
        examples: Examples,
        tile: int,
        R: int,
        B: int,
        dtype: Precision = "float64",
    ) -> None:
        """Allocate; ``examples`` are all there are."""
        for name, value in (("tile", tile), ("R", R), ("B", B)):
            at_least_one(name, value, "a plan needs room for one example")
        self._family, self._B = family, B
        self._examples = tuple(part.astype(dtype, copy=False) for part in examples)
        batch = B * sum(part[0].size for part in examples)
        self._rows = rows = min(tile * R, rows_within(CACHE, family, B, more=batch))
        self._taken = tuple(np.empty((rows, B, *part.shape[1:]), dtype) for part in examples)
        self._work = family.workspace(rows, B, dtype)
        self._views: dict[int, tuple[Examples, tuple[Floats, ...]]] = {}

    def __call__(self, x: Floats, indices: Indices, out: Floats) -> None:
        """Mean gradient over each row's batch: ``x, out (t, R, d)``, ``indices (t, R, B)``."""
        points = x.reshape(-1, x.shape[-1])
        gradients = out.reshape(points.shape, copy=False)
        chosen = indices.reshape(-1, self._B)
        if len(points) <= self._rows:
            self._block(points, chosen, gradients)
            return
        for rows in blocks(len(points), self._rows):
            self._block(points[rows], chosen[rows], gradients[rows])

    def _block(self, x: Floats, chosen: Indices, out: Floats) -> None:
        c = len(x)
        if c not in self._views:
            self._views[c] = tuple(a[:c] for a in self._taken), tuple(a[:c] for a in self._work)
        taken, work = self._views[c]
        for part, rows in zip(self._examples, taken, strict=True):
            # "clip" is the mode in which NumPy writes straight to out; the others copy first.
            part.take(chosen, axis=0, out=rows, mode="clip")
        self._family.mean_gradient(taken, x, out, work)


def full_gradient(family: Family, examples: Examples, x: Floats, out: Floats) -> Floats:
    """The mean gradient over all examples at every row: ``x, out (..., d)``."""
    points = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    gradients = np.empty_like(points)
    n, all_of_them = len(examples[0]), stacked(examples)
    rows_at_once = min(len(points), rows_within(ROOM, family, n))
    work = family.workspace(rows_at_once, n)
    for rows in blocks(len(points), max(1, rows_at_once)):
        a = points[rows]
        part = tuple(array[: len(a)] for array in work)
        family.mean_gradient(all_of_them, a, gradients[rows], part)
    out[...] = gradients.reshape(x.shape)
    return out


def stacked(examples: Examples) -> Examples:
    """All examples, as a stack of one."""
    return tuple(part[None] for part in examples)


def by_row(mean: Mean, family: Family, examples: Examples, x: Floats) -> Floats:
    """A mean over all examples at every row of ``x``: ``(..., d) -> (...)``."""
    points = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    values = np.empty(len(points))
    all_of_them = stacked(examples)
    for rows in blocks(len(points), rows_within(ROOM, family, len(examples[0]))):
        values[rows] = mean(all_of_them, points[rows])
    return values.reshape(x.shape[:-1])


def row_mean(values: Floats) -> Floats:
    """Mean over the last axis; each row's bits are its own."""
    mean: Floats = over_coordinates(values) / values.shape[-1]
    return mean


def measured(
    mean: Mean,
    accuracy: Mean,
    family: Family,
    train: Examples,
    held: Examples | None,
) -> dict[str, Callable[[Floats], Floats]]:
    """What a classifier records: accuracies, and F on the held-out examples where there are any."""
    found = {"train_accuracy": lambda w: by_row(accuracy, family, train, w)}
    if held is not None:
        found["held_out_accuracy"] = lambda w: by_row(accuracy, family, held, w)
        found["held_out_F"] = lambda w: by_row(mean, family, held, w)
    return found
