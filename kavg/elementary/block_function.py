"""Functions of one number that are computed block after block in planned workspace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats

BLOCK: Final = 32_768
"""Numbers computed at once: the workspace of an elementary function fits the second-level cache."""


class BlockFunction(ABC):
    """A function ``f(x, out)`` of arrays of one shape and of the precision it was planned for.

    A call on the two arrays of the call before allocates nothing; others cost some views of them.
    Arrays with gaps are copied.
    """

    def __init__(self) -> None:
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
        """Write the function of each number of ``x`` to ``out``, which does not overlap it."""
        if x is not self.x or out is not self.out:
            if not (x.flags.c_contiguous and out.flags.c_contiguous):
                result = np.empty(x.shape, x.dtype)
                self(np.ascontiguousarray(x), result)
                np.copyto(out, result)
                return
            self._bind(x, out)
        for block in self.blocks:
            self.compute(*block)

    def _bind(self, x: Floats, out: Floats) -> None:
        self.x, self.out = x, out
        given, written = x.reshape(-1), out.reshape(-1)
        self.blocks = []
        # Blocks of one size where that is possible; -(-a // b) rounds up.
        size = max(1, -(-x.size // max(1, -(-x.size // BLOCK))))
        for first in range(0, x.size, size):
            a, b = given[first : first + size], written[first : first + size]
            self.blocks.append((a, b, *self.views(a.size)))
