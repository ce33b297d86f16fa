"""The learners of a rank: K local steps of each, their mean over all ranks, the outer rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Floats
from kavg.elementary.sums import SquareSums
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.communicator import assign_learners
from kavg.engine.contracts import (
    compare_with_plan,
    move_away,
    refuse_result,
)
from kavg.engine.dispersion import Mask, SquaredDistances, find_lost
from kavg.engine.displacement_store import DisplacementStore
from kavg.engine.exact_mean import ExactMean
from kavg.engine.exact_sums import Exponents, choose_exponents
from kavg.engine.local_steps import (
    LocalSteps,
    RoundMethod,
    RoundSteps,
    StepSizes,
    choose_tile,
)
from kavg.engine.means import MEANS, Mean, Sums
from kavg.engine.options import RunOptions
from kavg.engine.ranks import Ranks
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
    ) -> None:
        R, d, comm = options.replicas, problem.dim, ranks.comm
        self.problem, self.algorithm, self.request = problem, algorithm, request
        self.ranks, self.rank = ranks, comm.Get_rank()
        # Of a user's rule, which may return anything.
        self.step: Callable[..., object] = algorithm.outer.step
        self.own = assign_learners(algorithm.P, comm.Get_size(), self.rank)
        # At least one, as a rank without learners computes the pilot of the first round as well.
        self.tile = options.tile or choose_tile(R, d, max(1, len(self.own)))
        self.can_repeat = _can_repeat(problem, algorithm.P, options, comm.Get_size())
        self.square_sums = SquareSums()
        self.start = np.empty((R, d))
        self.local = LocalSteps(
            problem, algorithm,
            own=self.own, seed=options.seed, R=R, tile=self.tile, dtype=options.dtype,
        )  # fmt: skip
        self.states, rows = self.local.states, self.local.states.rows
        self.mean: Mean = MEANS[options.mean](comm, algorithm.P, rows, d)
        self.store = DisplacementStore(self.own, rows, d, is_kept=isinstance(self.mean, ExactMean))

    def check_plan(self, state: State, drawn: Floats, found: list[str]) -> None:
        """Compare a learner's gradient with ``drawn``, and warn of suspicions on rank 0."""
        j = min(self.algorithm.P, 2) - 1
        near = move_away(state.w, self.local.dtype)
        here = self.local.first_gradient(j, near, count_steps(self.algorithm, state))
        last = compare_with_plan(self.problem.oracle, here, drawn)
        # What an objective depends on, its gradients do as well.
        for text in (found or filter(None, [last])) if self.rank == 0 else ():
            warnings.warn(text, stacklevel=4)

    def round(self, state: State) -> Round:
        """Return the round after ``state`` of an algorithm with one step size."""
        after, dispersion, steps = self.advance(state)
        after = replace(after, K=self.algorithm.adapt_period(steps.n, steps.K, dispersion))
        return Round(after, dispersion, float(steps.gamma), self.mean.requested, steps.K)

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
            done = self.average(exponents, steps)
            while not done:
                done = self.average(mean.exponents, steps, again=True)
            slots = self.states.end(mean.mean)
            # Before the outer rule, which may overwrite the mean displacement.
            dispersion = self.dispersion(steps)
            ranks.attempt(self.update, None, w, v, steps.gamma)
        # Readers get these arrays, so nobody may write to them.
        freeze(w)
        freeze(v)
        freeze(dispersion)
        taken = steps.first + steps.K
        return State(n, w, v, mean.exponents, taken, slots=slots), dispersion, steps

    def begin(self, state: State, n: int) -> tuple[Floats, Floats, RoundSteps]:
        """Write the point where all learners begin round ``n``; return w, v and its steps."""
        algorithm = self.algorithm
        # The state, which is read-only, and not the copies that the rule may write to later.
        algorithm.outer.start(state.w, state.v, self.start)
        K = algorithm.count_local_steps(n) if state.K is None else state.K
        steps = RoundSteps(n, count_steps(algorithm, state), K, algorithm.step_size(n))
        # Copies, because the outer rule works in place and arrays that were yielded never change.
        return state.w.copy(), state.v.copy(), steps

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
        """Add the displacements of this rank's learners to some sums, tile by tile.

        ``again`` in the same round, they are in the workspace if they fit one tile, or stored;
        else computed again, with the same noise where draws are addressed (``can_repeat``).
        """
        local, store, own, n = self.local, self.store, self.own, steps.n
        if again and len(own) <= self.tile:
            if own:
                sums.fold(local.displacements[: len(own)])
            return
        is_used = (again or store.asked == n - 1) and store.open(n, again=again)
        is_stored = is_used and store.stored == n
        for first in range(own.start, own.stop, self.tile):
            learners = range(first, min(first + self.tile, own.stop))
            place = store.tile(learners) if is_used else None
            if place is None or not is_stored:
                place = local.displacement(learners, self.start, steps, place)
            sums.fold(place)
        if is_used:
            store.stored = n

    def update(self, w: Floats, v: Floats, gamma: StepSizes) -> None:
        """Take the outer step, which must return nothing."""
        returned = self.step(w, v, self.mean.mean[: len(w)], gamma)
        if returned is not None:
            refuse_result(self.algorithm.outer, w, v, returned)

    def dispersion(self, steps: RoundSteps) -> Floats:
        """Return ``(1/P) sum_j ||x_j - mean||^2`` of all learners' displacements, ``(R,)``.

        Where a second pass would draw other noise, it is the difference of squares, at least 0.
        """
        R, floor = len(self.start), self.mean.floor
        mean, square = self.mean.mean[:R], self.mean.square[:R]
        spread = np.empty(R)
        self.square_sums(mean[None], spread[None])
        np.subtract(square, spread, out=spread)
        lost = find_lost(spread, square, None if floor is None else floor[:R])
        if not np.count_nonzero(lost):
            return spread
        if self.algorithm.P == 1:
            spread *= 0.0  # a NaN stays
            return spread
        if not self.can_repeat:
            return np.maximum(spread, 0.0, out=spread)
        spread[lost] = self.squared_distances(lost, steps)
        return spread

    def squared_distances(self, lost: Mask, steps: RoundSteps) -> Floats:
        """Return the dispersion of the replicas in ``lost`` by another pass over all learners."""
        ranks, P, exact = self.ranks, self.algorithm.P, self.exact_mean(steps)
        # Rows of averaged slots have no part in it.
        rows = np.append(lost, np.zeros(self.states.rows - len(lost), np.bool_))
        distances = SquaredDistances(ranks.comm, P, exact.mean, exact.remainder(), rows)
        ranks.attempt(lambda: self.fold(distances, steps, again=True), None)
        found = distances.finish(ranks.signal)
        ranks.check(distances.requested)
        return found

    def exact_mean(self, steps: RoundSteps) -> ExactMean:
        """Return the mean of this round, computed once more if it is the plain one."""
        if isinstance(self.mean, ExactMean):
            return self.mean
        d = self.start.shape[1]
        exact = ExactMean(self.ranks.comm, self.algorithm.P, self.states.rows, d)
        exponents = choose_exponents(self.mean.square, default=exact.exponents)
        while True:
            exact.begin(exponents)
            self.ranks.attempt(lambda: self.fold(exact, steps, again=True), None)
            done = exact.finish(self.ranks.signal)
            self.ranks.check(exact.requested)
            if done:
                return exact
            exponents = exact.exponents


def count_steps(algorithm: RoundMethod, state: State) -> int:
    """Return the local steps that a learner has taken up to a state."""
    return int(algorithm.sum_local_steps(state.n) if state.steps is None else state.steps)


def _can_repeat(problem: Problem, P: int, options: RunOptions, size: int) -> bool:
    """True if all ranks can have their learners of a round once more.

    Draws that are not addressed come once, so the learners must still be in the workspace.  Every
    rank decides it for rank 0, which has the most, as all must agree on a second pass.
    """
    if getattr(problem.oracle, "addressed", True):
        return True
    most = len(assign_learners(P, size, 0))
    return most <= (options.tile or choose_tile(options.replicas, problem.dim, most))
