"""The mixing of the iterates of all learners: one ``Allgather``, then weighted sums."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Communicator, Floats, MixesIterates, Precision
from kavg.engine.communicator import assign_learners

Term = tuple[Floats, NDArray[np.floating[Any]]]
"""An iterate ``(R, d)`` in the workspace, and its weight."""


@final
class IterateMixer:
    """The rows of ``x^j = sum_i W_ji x^i`` that belong to the learners of this rank.

    Terms are added in the order of i, so no bit depends on the ranks.  The workspace holds the
    iterates of all P learners, and is allocated once.
    """

    def __init__(
        self,
        comm: Communicator,
        aggregation: MixesIterates,
        P: int,
        shape: tuple[int, int],
        dtype: Precision,
    ) -> None:
        size, self.comm = comm.Get_size(), comm
        # Ranks differ by a learner, and all send as many rows as the first, which has the most.
        most = len(assign_learners(P, size, 0))
        self.part = np.zeros((most, *shape), dtype)
        self.parts = np.empty((size, most, *shape), dtype)
        self.product = np.empty(shape, dtype)
        owners = [assign_learners(P, size, rank) for rank in range(size)]
        parts = zip(owners, self.parts, strict=True)
        everyone = [x for own, part in parts for x in part[: len(own)]]
        self.rows: list[list[Term]] = [
            [(everyone[i], np.array(W, dtype)) for i, W in aggregation.list_weights(j, P)]
            for j in owners[comm.Get_rank()]
        ]

    def mix(self, x: Floats) -> None:
        """Replace the iterates of this rank's learners, ``(learners, R, d)``, by what is mixed."""
        self.part[: len(x)] = x
        self.comm.Allgather(self.part, self.parts)
        # From the gathered copy, as x is overwritten row by row.
        for out, ((first, weight), *others) in zip(x, self.rows, strict=True):
            np.multiply(first, weight, out=out)
            for one, its_weight in others:
                np.multiply(one, its_weight, out=self.product)
                np.add(out, self.product, out=out)
