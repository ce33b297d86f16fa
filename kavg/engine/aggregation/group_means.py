"""Averages of groups of learners within a round, before the last block of local steps."""

from __future__ import annotations

from typing import final

import numpy as np

from kavg.base import AveragesGroups, Floats
from kavg.base.step_functions import check_blocks
from kavg.engine.aggregation.group_plan import Group, free_communicator, plan_groups
from kavg.engine.exact_sums import Exponents
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.local.round_method import RoundMethod, RoundSteps
from kavg.engine.means import MEANS, Mean
from kavg.engine.options import MeanName
from kavg.engine.ranks import Ranks


@final
class GroupMeans:
    """The groups of this rank's learners: their points ``(groups, R, d)``, and what averages them.

    A round of K steps is ``K / K1`` blocks.  ``advance`` takes all but the last; the learners begin
    that one at the points of their groups (``place_iterates``), and the mean of all counts their
    displacements from the start of the round.

    A group on several ranks costs one ``Allreduce`` of those ranks after each block but the last;
    a K that is a function of the round one more of all ranks (``constant_K`` is None then).
    """

    def __init__(
        self,
        method: RoundMethod,
        law: AveragesGroups,
        local: LocalSteps,
        ranks: Ranks,
        mean: MeanName,
    ) -> None:
        self.K1, self.sizes = law.K1, law.group_sizes(method.P)
        self.local, self.ranks = local, ranks
        K: object = getattr(method, "K", None)
        self.constant_K = K if isinstance(K, int) else None
        self.name: MeanName = mean
        self.tile, self.R, self.d = local.x.shape
        self.groups: list[Group] = []
        self.means: list[Mean] = []
        self.exponents: list[Exponents] = []
        self.places: list[int] = []
        """The group of each own learner, by its place in ``points``."""
        self.points = np.empty((0, self.R, self.d))

    def connect(self) -> None:
        """Find the groups of this rank, with communicators for those on several.  Collective."""
        self.groups = plan_groups(self.sizes, self.ranks.comm)
        self.ranks.attempt(self._allocate, None)
        # A rank without workspace cannot take part in the sums of its groups.
        self.ranks.meet()

    def _allocate(self) -> None:
        known: dict[tuple[int, int], Mean] = {}
        for group in self.groups:
            # Groups of one size and rank use the same sums, one after another.
            key = (id(group.comm), group.size)
            if key not in known:
                rows = self.local.states.rows
                known[key] = MEANS[self.name](group.comm, group.size, rows, self.d)
            self.means.append(known[key])
        numbered = enumerate(group.learners for group in self.groups)
        self.places = [i for _, i in sorted((j, i) for i, own in numbered for j in own)]
        self.points = np.empty((len(self.groups), self.R, self.d))

    def advance(self, start: Floats, exponents: Exponents, steps: RoundSteps) -> RoundSteps:
        """Take the local steps of all blocks but the last; return those of the last.

        ``start (R, d)`` is where all learners begin the round, and ``exponents`` bound the first
        displacements.  Raises ``KavgError`` on all ranks if the steps are no whole blocks.
        """
        if self.constant_K is None:
            # A rank whose K failed does not know how many sums the others make.
            self.ranks.meet()
        K = steps.K if self.constant_K is None else self.constant_K
        check_blocks(self.K1, K)
        blocks = K // self.K1
        self.points[...] = start
        self.exponents = [exponents] * len(self.groups)
        self.local.starts = None
        states = self.local.states
        averaged: list[Floats | None] = [states.given] * len(self.groups)
        for block in range(blocks - 1):
            now = RoundSteps(steps.n, steps.first + block * self.K1, self.K1, steps.gamma)
            for i in range(len(self.groups)):
                if states.is_averaged:
                    states.given = averaged[i]
                averaged[i] = self.average(i, now)
            states.carry()
        if blocks > 1:
            self.local.starts = self
            states.give_groups(averaged, self.places)
        return RoundSteps(steps.n, steps.first + (blocks - 1) * self.K1, self.K1, steps.gamma)

    def average(self, i: int, steps: RoundSteps) -> Floats | None:
        """Take a block of steps of a group, and move its point to the mean of its learners.

        Returns the mean of their slots where these are averaged.
        """
        ranks, mean, done = self.ranks, self.means[i], self.groups[i].size == 1
        if done:
            return ranks.attempt(self.follow, None, i, steps)
        again = False
        while not done:
            mean.begin(self.exponents[i])
            # A rank that has failed takes part in all sums; the mean of all learners tells of it.
            ranks.attempt(self.fold, None, i, steps, again)
            done, again = mean.finish(), True
            self.exponents[i] = mean.exponents
        self.points[i] += mean.mean[: self.R]
        return self.local.states.take_averaged(mean.mean)

    def follow(self, i: int, steps: RoundSteps) -> Floats | None:
        """Take a block of steps of a group of one learner, whose point is its own iterate."""
        learners = self.groups[i].learners
        displacement = self.local.displacement(learners, self.points[i], steps)
        # Not point + displacement, whose rounding K-step averaging does not have.
        self.points[i] = self.local.x[0]
        return self.local.states.take_averaged(displacement[0, :, :-1])

    def fold(self, i: int, steps: RoundSteps, again: bool) -> None:
        """Add the displacements of a group's learners of this rank to its mean.

        ``again``, they are in the workspace if they fit one tile, else computed again.
        """
        mean, own, local = self.means[i], self.groups[i].learners, self.local
        if again and len(own) <= self.tile:
            mean.fold(local.displacements[: len(own)])
            return
        for first in range(own.start, own.stop, self.tile):
            learners = range(first, min(first + self.tile, own.stop))
            mean.fold(local.displacement(learners, self.points[i], steps))

    def place_iterates(self, learners: range, x: Floats) -> None:
        """Write the points of these learners' groups to ``x (t, R, d)``."""
        first = self.local.states.own.start
        for row, j in zip(x, learners, strict=True):
            row[...] = self.points[self.places[j - first]]

    def release(self) -> None:
        """Free the communicators of groups on several ranks.  Collective."""
        for group in self.groups:
            free_communicator(group.comm)
        self.groups = []
