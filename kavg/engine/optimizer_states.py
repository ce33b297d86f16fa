"""The state of the learners' optimizers: its workspace, and what is left of it after a round."""

from __future__ import annotations

from typing import Final, final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Communicator, Floats, LocalOptimizer, Precision
from kavg.engine.communicator import assign_learners


@final
class OptimizerStates:
    """The slots of the learners of this rank, by what becomes of them at the average.

    Local steps use the workspace ``slots (s, tile, R, d)``.  Slots that are ``kept`` go from one
    array of all own learners, ``(learners, s, R, d)``, to the next; those that are ``averaged``
    travel as further rows of a displacement, and come back as the mean, ``(1, s, R, d)``.
    """

    def __init__(
        self, optimizer: LocalOptimizer, own: range, tile: int, R: int, d: int, dtype: Precision
    ) -> None:
        s = int(optimizer.slots)
        self.at_average, self.own = optimizer.at_average, own
        self.update = optimizer.plan(tile, R, d, dtype)
        self.slots = np.empty((s, tile, R, d), dtype)
        self.is_kept = s > 0 and self.at_average == "kept"
        self.is_averaged = s > 0 and self.at_average == "averaged"
        self.rows: Final = R * (1 + s * self.is_averaged)
        """Rows of a displacement: those of the replicas, and of their averaged slots."""
        self.given: Floats | None = None
        self.left: Floats | None = None

    def begin(self, given: Floats | None) -> None:
        """Begin a round with what the last one left; None at the start of the run.

        What was kept is that of this rank's learners, or of all, as after it was gathered.
        """
        if given is not None and self.is_kept and len(given) != len(self.own):
            given = given[self.own.start : self.own.stop]
        self.given = given
        if self.is_kept:
            # A new array, as that of the last round was yielded and never changes.
            s, _, R, d = self.slots.shape
            self.left = np.empty((len(self.own), s, R, d), self.slots.dtype)

    def load(self, learners: range) -> Floats:
        """Return the slots ``(s, t, R, d)`` with which these learners begin the round."""
        slots = self.slots[:, : len(learners)]
        if self.given is None or not (self.is_kept or self.is_averaged):
            slots[...] = 0.0
        elif self.is_averaged:
            slots[...] = self.given[0][:, None]
        else:
            slots[...] = self.given[self._places(learners)].swapaxes(0, 1)
        return slots

    def save(self, learners: range, slots: Floats, displacements: Floats) -> None:
        """Save the slots after the local steps, those that are averaged in ``displacements``.

        Learner 0 on a rank that does not own it, as in the first round, saves nothing.
        """
        if self.is_averaged:
            s, t, R, d = slots.shape
            displacements[:, R:, :-1].reshape(t, s, R, d)[...] = slots.swapaxes(0, 1)
        elif self.is_kept and learners.start in self.own and self.left is not None:
            self.left[self._places(learners)] = slots.swapaxes(0, 1)

    def end(self, mean: Floats) -> Floats | None:
        """Return what the round leaves, from the mean displacement of all rows."""
        if self.is_averaged:
            s, _, R, d = self.slots.shape
            return freeze(mean[R:].reshape(1, s, R, d).copy())
        return None if self.left is None else freeze(self.left)

    def _places(self, learners: range) -> slice:
        return slice(learners.start - self.own.start, learners.stop - self.own.start)


def gather_slots(comm: Communicator, P: int, own: Floats) -> Floats:
    """Return the slots of all learners, ``(P, s, R, d)``, from those of every rank.

    One ``Allgather``.

    >>> from kavg.engine.communicator import SerialComm
    >>> gather_slots(SerialComm(), 2, np.ones((2, 1, 3, 4))).shape
    (2, 1, 3, 4)
    """
    size = comm.Get_size()
    most = -(-P // size)
    part = np.zeros((most, *own.shape[1:]), own.dtype)
    part[: len(own)] = own
    parts = np.empty((size, *part.shape), own.dtype)
    comm.Allgather(part, parts)
    counts = [len(assign_learners(P, size, rank)) for rank in range(size)]
    return freeze(np.concatenate([parts[rank, :count] for rank, count in enumerate(counts)]))
