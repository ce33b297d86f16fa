"""Sums over the last axis in an order of their own, so that no library and no processor has a say.

``numpy.add.reduce`` over the last axis adds in an order that is NumPy's own affair, and ``vecdot``
in one that BLAS chooses for the processor.  Here a row of n terms is halved until one is left::

    terms[:h] += terms[n - h : n],  n -= h        with h = floor(n / 2)

Rows of more than ``WIDTH`` terms are first cut into parts of ``WIDTH``, which are added up one
after another, elementwise.  All of this is additions of two numbers in an order that n alone
decides, so neither the number of rows, nor their layout in memory, nor vector instructions matter.

A term takes part in at most ``k = n / WIDTH + log2(min(n, WIDTH)) + 2`` additions: the error is
below ``k u / (1 - k u)`` times the sum of the terms' sizes, with ``u = 2^-53`` (``2^-24`` in
float32).  Squares add 1 to k.

Source: Higham 2002, "Accuracy and stability of numerical algorithms", section 4.2.
"""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import DTypeLike

from kavg.base import Floats
from kavg.elementary.row_blocks import Rows, plan_blocks

WIDTH: Final = 8192
"""Terms of a row that are halved; before that, parts of so many are added up."""
BLOCK: Final = 32768
"""Numbers in the workspace of planned sums: 256 kB, which an L2 cache holds."""


def sum_over_coordinates(terms: Floats) -> Floats:
    """Return ``sum_i terms_i`` at every row, ``(..., d) -> (...)``.

    A row's sum has the same bits whatever other rows the array has, on any machine.

    >>> sum_over_coordinates(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    # np.moveaxis(terms, -1, 0), which takes 3 microseconds.
    columns: Floats = np.array(terms.transpose(-1, *range(terms.ndim - 1)), order="C")
    for start in range(WIDTH, len(columns), WIDTH):
        part = columns[start : start + WIDTH]
        np.add(columns[: len(part)], part, out=columns[: len(part)])
    for lower, upper in halve(columns[:WIDTH]):
        np.add(lower, upper, lower)
    # A copy, as a view would keep all columns in memory.
    total: Floats = columns[0].copy()
    return total


def sum_squares(x: Floats) -> Floats:
    """Return ``sum_i x_i^2`` at every row, ``(..., d) -> (...)``.

    ``SquareSums`` has the same bits and allocates nothing.

    >>> sum_squares(np.array([[3.0, 4.0], [0.0, 2.0]]))
    array([25.,  4.])
    """
    return sum_over_coordinates(np.square(x))


def halve(columns: Floats) -> list[tuple[Floats, Floats]]:
    """Return pairs of views ``(lower, upper)`` of ``columns (n, ...)``, upper to be added to lower.

    After that the first column holds the sum of all.

    >>> [(len(lower), len(upper)) for lower, upper in halve(np.ones((5, 2)))]
    [(2, 2), (1, 1), (1, 1)]
    """
    pairs, n = [], len(columns)
    while n > 1:
        half = n // 2
        pairs.append((columns[:half], columns[n - half : n]))
        n -= half
    return pairs


@final
class SquareSums:
    """Planned ``sum_i x_i^2`` over the last axis of ``x (t, R, d)``: the bits of ``sum_squares``.

    The first call with a shape allocates its workspace, so later ones allocate nothing.  All calls
    take the same precision.

    >>> out = np.empty((1, 2))
    >>> SquareSums()(np.array([[[3.0, 4.0], [0.0, 2.0]]]), out)
    >>> out
    array([[25.,  4.]])
    """

    def __init__(self) -> None:
        self.plans: dict[tuple[int, ...], list[tuple[Rows, _Halving]]] = {}
        # Slices of a single block would cost as much as the sums of few numbers.
        self.whole: dict[tuple[int, ...], _Halving] = {}

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the sum of the squares of each row of ``x (t, R, d)`` to ``out (t, R)``."""
        whole = self.whole.get(x.shape)
        if whole is not None:
            whole(x.transpose(2, 0, 1), out)
            return
        for (learners, replicas), add_squares in self.plans.get(x.shape) or self._plan(x):
            add_squares(x[learners, replicas].transpose(2, 0, 1), out[learners, replicas])

    def _plan(self, x: Floats) -> list[tuple[Rows, _Halving]]:
        t, R, d = x.shape
        plan = plan_blocks(t, R, BLOCK // min(d, WIDTH), lambda t, R: _Halving(d, t, R, x.dtype))
        self.plans[x.shape] = plan
        if len(plan) == 1:
            self.whole[x.shape] = plan[0][1]
        return plan


@final
class _Halving:
    """The workspace of a block of rows, and the views of it that are added to each other.

    It holds columns: NumPy adds arrays that are contiguous without an iterator, whose buffers it
    would allocate at each call and which take longer than a copy.
    """

    def __init__(self, d: int, t: int, R: int, dtype: DTypeLike) -> None:
        self.squares = np.empty((min(d, WIDTH), t, R), dtype)
        self.pairs, self.total = halve(self.squares), self.squares[0]
        # Parts of a long row, and their workspace.
        self.parts = [slice(start, start + WIDTH) for start in range(0, d, WIDTH)]
        self.part = np.empty((WIDTH if d > WIDTH else 0, t, R), dtype)

    def __call__(self, columns: Floats, out: Floats) -> None:
        """Write the sums of the squares of ``columns (d, t, R)`` to ``out (t, R)``."""
        if len(self.parts) == 1:
            np.copyto(self.squares, columns)
            np.multiply(self.squares, self.squares, self.squares)
        else:
            self._add_parts(columns)
        for lower, upper in self.pairs:
            np.add(lower, upper, lower)
        np.copyto(out, self.total)

    def _add_parts(self, columns: Floats) -> None:
        self.squares.fill(0.0)
        for place in self.parts:
            added = columns[place]
            part, sums = self.part[: len(added)], self.squares[: len(added)]
            np.copyto(part, added)
            np.multiply(part, part, out=part)
            np.add(sums, part, out=sums)
