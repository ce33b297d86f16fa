"""What the measures of a run read of its rounds: the mean displacement, and numbers of learners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Floats, LearnerPoint, ReadsLearners
from kavg.engine.dispersion import Mask
from kavg.engine.number_means import NumberMeans
from kavg.engine.ranks import Ranks
from kavg.engine.round_dispersion import FoldAgain
from kavg.errors import KavgError
from kavg.trajectory import Round

TILE: Final = 32_768
"""Coordinates of learners' iterates that are read at once."""


@final
@dataclass(frozen=True, eq=False)
class ReadingPlan:
    """What is read: the displacement of every round, and numbers of learners where one is due."""

    displacement: bool
    readers: tuple[ReadsLearners, ...]
    is_due: Callable[[int], bool]

    @property
    def passes_again(self) -> bool:
        """True if the learners' displacements are needed once their mean is known."""
        return any(reader.point == "displacements" for reader in self.readers)


@final
class LearnerReadings:
    """The readings of one round after another, with workspace for all.

    Means are over ``m`` learners.  A round calls ``read_displacements``, ``read_iterates`` and
    ``add_to``, in this order.
    """

    def __init__(
        self,
        plan: ReadingPlan | None,
        ranks: Ranks,
        m: int,
        shape: tuple[int, int],
        *,
        can_repeat: bool,
    ) -> None:
        if plan is not None and plan.passes_again and not can_repeat:
            raise KavgError(
                "a measure of learners needs their displacements twice, and draws that are not "
                "addressed come once; give a tile that holds all learners of a rank, or leave the "
                "measure out"
            )
        self.plan, self.ranks = plan, ranks
        self.displacement: Floats | None = None
        self.passes: dict[LearnerPoint, _LearnerPass] = {}
        points: tuple[LearnerPoint, ...] = ("displacements", "iterates")
        readers = () if plan is None else plan.readers
        for point in points:
            chosen = {i: each for i, each in enumerate(readers) if each.point == point}
            if chosen:
                self.passes[point] = _LearnerPass(chosen, ranks, m, shape)

    def read_displacements(self, n: int, mean: Floats, fold_again: FoldAgain) -> None:
        """Read round ``n`` once its mean displacement is known, and before that is overwritten."""
        if self.plan is None:
            return
        if self.plan.displacement:
            self.displacement = freeze(mean.copy())
        read = self.passes.get("displacements")
        if read is not None and self.plan.is_due(n):
            read.begin(mean)
            self.ranks.attempt(fold_again, None, read)
            read.finish()

    def read_iterates(self, n: int, w: Floats, slots: Floats | None) -> None:
        """Read the iterates from which this rank's learners go on, where they keep their own."""
        read = self.passes.get("iterates")
        if self.plan is not None and read is not None and self.plan.is_due(n):
            read.begin(w)
            if slots is not None:
                self.ranks.attempt(read.add_points, None, slots[:, -1])
            read.finish()

    def add_to(self, now: Round) -> Round:
        """Return the round with what was read of it."""
        if self.plan is None:
            return now
        found: dict[int, Floats] = {}
        if self.plan.is_due(now.n):
            for each in self.passes.values():
                found |= each.found
        # In the order of the readers, as a round has their means one after another.
        means = tuple(found[i] for i in range(len(self.plan.readers))) if found else ()
        return replace(now, displacement=self.displacement, learner_means=means)


@final
class _LearnerPass:
    """One pass over the learners for the readers of one point, by their places among all."""

    def __init__(
        self, readers: Mapping[int, ReadsLearners], ranks: Ranks, m: int, shape: tuple[int, int]
    ) -> None:
        R, d = shape
        self.readers, self.ranks, self.shape = readers, ranks, shape
        self.columns, end = {}, 0
        for i, reader in readers.items():
            self.columns[i] = slice(end, end + reader.count)
            end += reader.count
        self.sums = NumberMeans(ranks.comm, m, R * end)
        self.tile = max(1, TILE // (R * d))
        self.offsets = np.empty((self.tile, R, d))
        self.numbers = np.empty((self.tile, R, end))
        self.center: Floats = np.empty(shape)
        self.found: dict[int, Floats] = {}

    def begin(self, center: Floats) -> None:
        self.center = center
        self.sums.begin()

    def fold(self, displacements: Floats, absent: Mask | None = None) -> None:
        """Add a tile, ``(t, rows, d + 1)``; unlike other sums, this leaves it as it is."""
        # Rows of averaged slots have no part in it.
        self.add_points(displacements[:, : self.shape[0], :-1], absent)

    def add_points(self, x: Floats, absent: Mask | None = None) -> None:
        """Add the points of some learners, ``(t, R, d)``, those that are absent as zeros."""
        for first in range(0, len(x), self.tile):
            part = x[first : first + self.tile]
            offsets, numbers = self.offsets[: len(part)], self.numbers[: len(part)]
            np.subtract(part, self.center, out=offsets)
            for i, reader in self.readers.items():
                reader.read(offsets, numbers[..., self.columns[i]])
            if absent is not None:
                numbers[absent[first : first + self.tile]] = 0.0
            self.sums.add(numbers.reshape(len(part), -1))

    def finish(self) -> None:
        """Sum over the ranks.  One ``Allreduce``."""
        means = self.sums.finish(self.ranks.signal).reshape(self.shape[0], -1)
        self.ranks.check(self.sums.requested)
        self.found = {i: freeze(means[:, part].copy()) for i, part in self.columns.items()}
