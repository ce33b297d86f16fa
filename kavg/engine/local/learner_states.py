"""What learners carry from round to round: states of their optimizers, and their own iterates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np

from kavg.arrays import freeze
from kavg.base import (
    Aggregation,
    Communicator,
    Floats,
    KeepsIterates,
    LocalOptimizer,
    Precision,
)
from kavg.base.aggregations import count_own_iterates
from kavg.engine.communicator import assign_learners


@final
class LearnerStates:
    """The slots of the learners of this rank, by what becomes of them at the average.

    Local steps use the workspace ``slots (s, tile, R, d)``.  What is kept goes from one array of
    all own learners, ``(learners, kept, R, d)``, to the next: the slots of the optimizer, and last
    the iterates of learners that do not go on from the meta-iterate.  Slots that are averaged
    travel as further rows of a displacement, and come back as the mean, ``(1, s, R, d)``.
    """

    def __init__(
        self,
        optimizer: LocalOptimizer,
        aggregation: Aggregation,
        own: range,
        shape: tuple[int, int, int],
        dtype: Precision,
    ) -> None:
        tile, R, d = shape
        s = int(optimizer.slots)
        self.at_average, self.own, self.shape, self.dtype = optimizer.at_average, own, shape, dtype
        self.update = optimizer.plan(tile, R, d, dtype)
        self.slots = np.empty((s, *shape), dtype)
        self.keeps_slots = s > 0 and self.at_average == "kept"
        self.is_averaged = s > 0 and self.at_average == "averaged"
        self.iterates = aggregation if isinstance(aggregation, KeepsIterates) else None
        own_iterates = count_own_iterates(aggregation)
        self.kept: Final = s * self.keeps_slots + own_iterates
        """Arrays that each learner keeps."""
        self.keeps_last: Final = own_iterates > 1
        """True if the first gradient of a round is taken at the iterates before the release."""
        self.rows: Final = R * (1 + s * self.is_averaged)
        """Rows of a displacement: those of the replicas, and of their averaged slots."""
        self.given: Floats | None = None
        self.left: Floats | None = None
        self.groups: list[int] = []
        """The row of ``given`` for each own learner, where groups have averages of their own."""

    def begin(self, given: Floats | None) -> None:
        """Begin a round with what the last one left; None at the start of the run.

        What was kept is that of this rank's learners, or of all, as after it was gathered.
        """
        if given is not None and self.kept and len(given) != len(self.own):
            given = given[self.own.start : self.own.stop]
        self.given, self.groups = given, []
        if self.kept:
            # A new array, as that of the last round was yielded and never changes.
            _, R, d = self.shape
            self.left = np.empty((len(self.own), self.kept, R, d), self.dtype)

    def carry(self) -> None:
        """Go on within a round: the next block begins with what this one left."""
        if self.left is not None:
            self.given, self.left = self.left, np.empty_like(self.left)

    def give_groups(self, averages: Sequence[Floats | None], groups: list[int]) -> None:
        """Begin the last block of a round with the averaged slots of each learner's group."""
        if self.is_averaged:
            found = [one for one in averages if one is not None]
            # None of a rank that has failed, and of one without learners.
            self.given = np.concatenate(found) if found else None
            self.groups = groups

    def load(self, learners: range) -> Floats:
        """Return the slots ``(s, t, R, d)`` with which these learners begin the round."""
        slots, s = self.slots[:, : len(learners)], len(self.slots)
        if self.given is None or not (self.keeps_slots or self.is_averaged):
            slots[...] = 0.0
        elif self.groups:
            first = learners.start - self.own.start
            for i, group in enumerate(self.groups[first : first + len(learners)]):
                slots[:, i] = self.given[group]
        elif self.is_averaged:
            slots[...] = self.given[0][:, None]
        else:
            slots[...] = self.given[self._places(learners), :s].swapaxes(0, 1)
        return slots

    def place_iterates(self, learners: range, x: Floats) -> None:
        """Write the iterates from which learners go on to ``x (t, R, d)``, if they keep theirs."""
        if self.iterates is not None and self.given is not None:
            x[...] = self.given[self._places(learners), -1]

    def place_last(self, learners: range, x: Floats) -> None:
        """Write the iterates before the release to ``x (t, R, d)``, where there are any."""
        if self.given is not None:
            x[...] = self.given[self._places(learners), -2]

    def save(self, learners: range, slots: Floats, displacements: Floats) -> None:
        """Save the slots after the local steps, those that are averaged in ``displacements``."""
        if self.is_averaged:
            s, t, R, d = slots.shape
            displacements[:, R:, :-1].reshape(t, s, R, d)[...] = slots.swapaxes(0, 1)
        elif self.keeps_slots and self._is_own(learners):
            self._leave(learners)[:, : len(slots)] = slots.swapaxes(0, 1)

    def release(self, learners: range, x: Floats, w: Floats) -> None:
        """Save the iterates from which learners go on, if they keep theirs.

        ``x (t, R, d)`` are their last iterates and may be overwritten; ``w (R, d)`` is the point
        that displacements are counted from.
        """
        if self.iterates is not None and self._is_own(learners):
            left = self._leave(learners)
            if self.keeps_last:
                left[:, -2] = x
            self.iterates.release(x, w)
            left[:, -1] = x

    @property
    def last_iterates(self) -> Floats:
        """The iterates ``(learners, R, d)`` that own learners leave, if they keep theirs."""
        assert self.left is not None
        return self.left[:, -1]

    def end(self, mean: Floats) -> Floats | None:
        """Return what the round leaves, from the mean displacement of all rows."""
        if self.is_averaged:
            return freeze(self._take_averaged(mean))
        # Steps that are taken once more in this round, for the dispersion, leave nothing.
        left, self.left = self.left, None
        return None if left is None else freeze(left)

    def take_averaged(self, mean: Floats) -> Floats | None:
        """Return the averaged slots ``(1, s, R, d)`` among the rows of a mean; None without any."""
        return self._take_averaged(mean) if self.is_averaged else None

    def _take_averaged(self, mean: Floats) -> Floats:
        s, _, R, d = self.slots.shape
        return mean[R:].reshape(1, s, R, d).copy()

    def _is_own(self, learners: range) -> bool:
        # In a first round every rank takes the steps of learner 0, whose grids all share.
        return learners.start in self.own and self.left is not None

    def _leave(self, learners: range) -> Floats:
        assert self.left is not None
        return self.left[self._places(learners)]

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
