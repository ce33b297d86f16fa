"""The learners of a rank: K local steps of each, their mean over all ranks, the outer rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import final

import numpy as np

from kavg.arrays import freeze
from kavg.base import AveragesGroups, Floats, MixesIterates, WeighsLearners
from kavg.engine.aggregation.group_means import GroupMeans
from kavg.engine.aggregation.iterate_mixer import IterateMixer
from kavg.engine.aggregation.learner_shares import LearnerShares
from kavg.engine.aggregation.learner_tiles import LearnerTiles
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.communicator import assign_learners
from kavg.engine.contracts import (
    compare_with_plan,
    move_away,
    refuse_result,
)
from kavg.engine.exact_mean import ExactMean
from kavg.engine.exact_sums import Exponents
from kavg.engine.local.local_steps import LocalSteps, choose_tile
from kavg.engine.local.round_method import RoundMethod, RoundSteps, StepSizes, count_steps
from kavg.engine.means import MEANS, Mean, Sums
from kavg.engine.measures.learner_readings import LearnerReadings, ReadingPlan
from kavg.engine.options import RunOptions
from kavg.engine.ranks import Ranks
from kavg.engine.round_dispersion import RoundDispersion
from kavg.problem import Problem
from kavg.trajectory import Round, State

Request = Callable[[], int]
"""A rank's request in a round, such as to stop: a small number, 0 for none; ranks' are summed."""


@final
class Learners:
    """The learners of this rank, with workspace for all rounds."""

    def __init__(
        self,
        problem: Problem,
        algorithm: RoundMethod,
        options: RunOptions,
        ranks: Ranks,
        request: Request | None,
        readings: ReadingPlan | None = None,
    ) -> None:
        R, d, comm = options.replicas, problem.dim, ranks.comm
        self.problem, self.algorithm, self.request = problem, algorithm, request
        self.ranks, self.rank = ranks, comm.Get_rank()
        # Of a user's rule, which may return anything.
        self.step: Callable[..., object] = algorithm.outer.step
        self.own = assign_learners(algorithm.P, comm.Get_size(), self.rank)
        # At least one, as a rank without learners computes the pilot of the first round as well.
        self.tile = options.tile or choose_tile(R, d, max(1, len(self.own)))
        self.start = np.empty((R, d))
        self.local = LocalSteps(
            problem, algorithm,
            own=self.own, seed=options.seed, R=R, tile=self.tile, dtype=options.dtype,
        )  # fmt: skip
        self.states, rows = self.local.states, self.local.states.rows
        self.shares: LearnerShares | None = None
        self.groups: GroupMeans | None = None
        self.mixer: IterateMixer | None = None
        m, law = algorithm.P, algorithm.aggregation
        if isinstance(law, WeighsLearners):
            m = law.count_terms(algorithm.P)
            self.shares = LearnerShares(law, self.own, algorithm.P, R, options.seed)
        elif isinstance(law, AveragesGroups):
            self.groups = GroupMeans(algorithm, law, self.local, ranks, options.mean)
        elif isinstance(law, MixesIterates):
            self.mixer = IterateMixer(comm, law, algorithm.P, (R, d), options.dtype)
        self.mean: Mean = MEANS[options.mean](comm, m, rows, d)
        is_kept = isinstance(self.mean, ExactMean)
        self.tiles = LearnerTiles(self.local, self.own, self.shares, is_kept=is_kept)
        can_repeat = _can_repeat(problem, algorithm.P, options, comm.Get_size())
        self.dispersion = RoundDispersion(ranks, self.mean, m, (R, d), can_repeat=can_repeat)
        self.readings = LearnerReadings(readings, ranks, m, (R, d), can_repeat=can_repeat)

    def connect(self) -> None:
        """Make what groups of learners on several ranks need.  Collective."""
        if self.groups is not None:
            self.groups.connect()

    def release(self) -> None:
        """Give back what ``connect`` made.  Collective, after the last round."""
        if self.groups is not None:
            self.groups.release()

    def check_plan(self, state: State, drawn: Floats, found: list[str]) -> None:
        """Compare a learner's gradient with ``drawn``, and warn of suspicions on rank 0."""
        last = compare_first_gradient(self.problem, self.algorithm, self.local, state, drawn)
        # What an objective depends on, its gradients do as well.
        for text in (found or filter(None, [last])) if self.rank == 0 else ():
            warnings.warn(text, stacklevel=4)

    def round(self, state: State) -> Round:
        """Return the round after ``state`` of an algorithm with one step size."""
        after, dispersion, steps = self.advance(state)
        # Every rank has the dispersion, so each finds the same without a message.
        K = self.ranks.attempt(self.algorithm.adapt_period, None, steps.n, steps.K, dispersion)
        if K is not None:
            after = replace(after, K=K)
        now = Round(after, dispersion, float(steps.gamma), self.mean.requested, steps.K)
        return self.readings.add_to(now)

    def advance(self, state: State) -> tuple[State, Floats, RoundSteps]:
        """Return the state after ``state``, with the dispersion and the steps of its round.

        That is K steps of every learner, the mean and the outer rule.
        """
        n, mean, ranks = state.n + 1, self.mean, self.ranks
        ranks.place = n
        # A run that diverges overflows; the recorder finds it, and warnings would only repeat it.
        # Numbers that vanish underflow, which is no error even where the caller made it one.
        quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")
        with limit_blas_to_one_thread(), quiet:
            unchanged = state.w, state.v, RoundSteps(n, 0, 1, 0.0)
            w, v, steps = ranks.attempt(self.begin, unchanged, state, n)
            exponents = state.exponents
            if exponents is None:
                exponents = ranks.attempt(self.pilot, mean.exponents, steps)
            self.states.begin(state.slots)
            block = steps
            if self.groups is not None:
                block = self.groups.advance(self.start, exponents, steps)
            done = self.average(exponents, block)
            while not done:
                done = self.average(mean.exponents, block, again=True)
            # Before the outer rule, which may overwrite the mean displacement.
            again = partial(self.fold, steps=block, again=True)
            # Before the dispersion, whose second pass overwrites the displacements.
            self.readings.read_displacements(n, mean.mean[: len(w)], again)
            dispersion = self.dispersion.measure(again)
            # After all passes, as each writes what learners keep.
            if self.mixer is not None:
                self.mixer.mix(self.states.last_iterates)
            slots = self.states.end(mean.mean)
            ranks.attempt(self.update, None, w, v, steps.gamma)
            self.readings.read_iterates(n, w, slots)
        # Readers get these arrays, so nobody may write to them.
        freeze(w)
        freeze(v)
        freeze(dispersion)
        taken = steps.first + steps.K
        return State(n, w, v, mean.exponents, taken, slots=slots), dispersion, steps

    def begin(self, state: State, n: int) -> tuple[Floats, Floats, RoundSteps]:
        """Write the point where all learners begin round ``n``; return w, v and its steps."""
        algorithm = self.algorithm
        v = freeze(np.zeros_like(state.v)) if algorithm.is_restart(n) else state.v
        # The state, which is read-only, and not the copies that the rule may write to later.
        algorithm.outer.start(state.w, v, self.start)
        K = algorithm.count_local_steps(n) if state.K is None else state.K
        steps = RoundSteps(n, count_steps(algorithm, state), K, algorithm.step_size(n))
        if self.shares is not None:
            self.shares.begin(n, K)
        # Copies, because the outer rule works in place and arrays that were yielded never change.
        return state.w.copy(), v.copy(), steps

    def pilot(self, steps: RoundSteps) -> Exponents:
        """Return the exponents of a first round, from learner 0."""
        # On every rank, so that all choose the same grids without a message.
        self.states.begin(None)
        return self.mean.first_exponents(self.local.displacement(range(1), self.start, steps))

    def average(self, exponents: Exponents, steps: RoundSteps, *, again: bool = False) -> bool:
        """Average over all learners; False if it must be done ``again``, on wider grids."""
        ranks = self.ranks
        self.mean.begin(exponents)
        request = ranks.attempt(self.work, 0, steps, again)
        done = self.mean.finish(request + ranks.signal)
        ranks.check(self.mean.requested)
        return done

    def work(self, steps: RoundSteps, again: bool) -> int:
        """Add this rank's learners to the mean; return its request."""
        self.fold(self.mean, steps, again=again)
        return 0 if self.request is None else self.ranks.ask(self.request)

    def fold(self, sums: Sums, steps: RoundSteps, *, again: bool = False) -> None:
        """Add the displacements of this rank's learners to some sums, tile by tile."""
        self.tiles.fold(sums, self.start, steps, again=again)

    def update(self, w: Floats, v: Floats, gamma: StepSizes) -> None:
        """Take the outer step, which must return nothing."""
        returned = self.step(w, v, self.mean.mean[: len(w)], gamma)
        if returned is not None:
            refuse_result(self.algorithm.outer, w, v, returned)


def compare_first_gradient(
    problem: Problem, algorithm: RoundMethod, local: LocalSteps, state: State, drawn: Floats
) -> str | None:
    """Return a suspicion if a learner's gradient as planned is not the one that was drawn."""
    j = min(algorithm.P, 2) - 1
    near = move_away(state.w, local.dtype)
    here = local.first_gradient(j, near, count_steps(algorithm, state))
    return compare_with_plan(problem.oracle, here, drawn)


def _can_repeat(problem: Problem, P: int, options: RunOptions, size: int) -> bool:
    """True if all ranks can have their learners of a round once more.

    Draws that are not addressed come once, so the learners must still be in the workspace.  Every
    rank decides it for rank 0, which has the most, as all must agree on a second pass.
    """
    if getattr(problem.oracle, "addressed", True):
        return True
    most = len(assign_learners(P, size, 0))
    return most <= (options.tile or choose_tile(options.replicas, problem.dim, most))
