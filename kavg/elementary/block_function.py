"""Functions of one number that are computed block after block in planned workspace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.errors import KavgError

BLOCK: Final = 32_768
"""Numbers computed at once: the workspace of an elementary function fits the second-level cache."""


class BlockFunction(ABC):
    """A function ``f(x, out)`` of arrays of one shape and of the precision it was planned for.

    A call on the two arrays of the call before allocates nothing; others cost some views of them.
    Arrays with gaps are copied.  ``size`` numbers are planned for, and any more if these are at
    least ``BLOCK``.
    """

    def __init__(self, size: int, dtype: Precision) -> None:
        self.most = min(size, BLOCK)
        self.dtype = np.dtype(dtype)
        self.x: Floats | None = None
        self.out: Floats | None = None
        self.blocks: list[tuple[NDArray[Any], ...]] = []

    @abstractmethod
    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        """Return the workspace of a block of ``n`` numbers, at most ``BLOCK``."""

    @abstractmethod
    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        """Write the function of a block ``x (n,)`` to ``out``, which may serve as workspace."""

    def __call__(self, x: Floats, out: Floats) -> None:
        """Write the function of each number of ``x`` to ``out``, which does not overlap it.

        Raises ``KavgError`` if it was not planned for such arrays, or their shapes differ.
        """
        if x is not self.x or out is not self.out:
            self._check_arrays(x, out)
            if not (x.flags.c_contiguous and out.flags.c_contiguous):
                result = np.empty(x.shape, x.dtype)
                self(np.ascontiguousarray(x), result)
                np.copyto(out, result)
                return
            self._bind(x, out)
        for block in self.blocks:
            self.compute(*block)

    def _check_arrays(self, x: Floats, out: Floats) -> None:
        fits = self.most == BLOCK or x.size <= self.most
        # NumPy would write a part of a larger out, and cut digits of workspace.
        if x.shape != out.shape or not x.dtype == out.dtype == self.dtype or not fits:
            size = "" if self.most == BLOCK else f" and up to {self.most} numbers"
            raise KavgError(
                f"x and out must have one shape, and the {self.dtype}{size} that were planned, got"
                f" {x.dtype} {x.shape} and {out.dtype} {out.shape}; make another plan"
            )

    def _bind(self, x: Floats, out: Floats) -> None:
        given, written = x.reshape(-1), out.reshape(-1)
        self.blocks = []
        # Blocks of one size where that is possible; -(-a // b) rounds up.
        size = max(1, -(-x.size // max(1, -(-x.size // BLOCK))))
        for first in range(0, x.size, size):
            a, b = given[first : first + size], written[first : first + size]
            self.blocks.append((a, b, *self.views(a.size)))
        self.x, self.out = x, out
