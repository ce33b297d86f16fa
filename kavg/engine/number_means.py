"""The mean over learners of some numbers of each, without error until it is rounded."""

from __future__ import annotations

from typing import final

import numpy as np

from kavg.base import Communicator, Floats
from kavg.engine.exact_sums import make_full_grid


@final
class NumberMeans:
    """The means over P learners of ``count`` numbers of each, of at least 0 and of any size.

    The sums have shape ``(levels + 1, count)``: one row a level of ``make_full_grid``, and this
    rank's request in the last.  They are exact, so neither tiles nor ranks change a bit.

    >>> from kavg.engine.communicator import SerialComm
    >>> means = NumberMeans(SerialComm(), P=4, count=1)
    >>> means.add(np.array([[1e300], [2.0], [1e-300], [5.0]]))
    >>> means.add(np.empty((0, 1)))
    >>> means.finish()
    array([2.5e+299])
    """

    def __init__(self, comm: Communicator, P: int, count: int) -> None:
        self.comm, self.P = comm, P
        self.grid = make_full_grid(P)
        # Half the unit of each level: smaller numbers leave nothing there.
        self.least = np.ldexp(self.grid / 1.5, -53)
        self.sums = np.zeros((len(self.grid) + 1, count))
        self.requested = 0

    def begin(self) -> None:
        """Empty the sums."""
        self.sums.fill(0.0)

    def add(self, numbers: Floats) -> None:
        """Add the numbers of t learners, ``(t, count)``."""
        first = int(np.argmax(self.least <= numbers.max(initial=0.0)))
        rest = numbers
        for level in range(first, len(self.grid)):
            M = self.grid[level]
            # The order of these operations is the algorithm, as in split_limbs.
            high = (rest + M) - M
            self.sums[level] += np.add.reduce(high, axis=0)
            rest = rest - high
            if not rest.any():
                return

    def finish(self, request: int = 0) -> Floats:
        """Sum over the ranks and divide by P: ``(count,)``.  One ``Allreduce``."""
        self.sums[-1] = request
        totals = np.empty_like(self.sums)
        self.comm.Allreduce(self.sums, totals)
        self.requested = int(totals[-1, 0])
        mean = np.zeros(totals.shape[1])
        # One after another, as NumPy's order of adding would depend on the number of replicas.
        for level in totals[-2::-1]:
            mean += level
        return np.divide(mean, self.P, out=mean)
