"""The learners of a rank: K local steps of each, their mean over all ranks, the outer rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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
from kavg.engine.local_steps import LocalSteps, RoundMethod, StepSizes, choose_tile
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
        self.mean: Mean = MEANS[options.mean](comm, algorithm.P, R, d)
        self.square_sums = SquareSums()
        self.start = np.empty((R, d))

        self.local = LocalSteps(
            problem, algorithm, seed=options.seed, R=R, tile=self.tile, dtype=options.dtype
        )
        self.store = DisplacementStore(self.own, R, d, is_kept=isinstance(self.mean, ExactMean))

    def check_plan(self, state: State, drawn: Floats, found: list[str]) -> None:
        """Compare a learner's gradient with ``drawn``, and warn of suspicions on rank 0."""
        j = min(self.algorithm.P, 2) - 1
        near = move_away(state.w, self.local.dtype)
        here = self.local.first_gradient(j, near, state.n + 1)
        last = compare_with_plan(self.problem.oracle, here, drawn)
        # What an objective depends on, its gradients do as well.
        for text in (found or filter(None, [last])) if self.rank == 0 else ():
            warnings.warn(text, stacklevel=4)

    def round(self, state: State) -> Round:
        """Return the round after ``state`` of an algorithm with one step size."""
        after, dispersion, gamma = self.advance(state)
        return Round(after, dispersion, float(gamma), self.mean.requested)

    def advance(self, state: State) -> tuple[State, Floats, StepSizes]:
        """Return the state after ``state``, with the dispersion and the step size of its round.

        That is K steps of every learner, the mean and the outer rule.
        """
        n, mean, ranks = state.n + 1, self.mean, self.ranks
        ranks.place = n
        # A run that diverges overflows; the recorder finds it, and warnings would only repeat it.
        # Numbers that vanish underflow, which is no error even where the caller made it one.
        quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")
        with limit_blas_to_one_thread(), quiet:
            unchanged: tuple[Floats, Floats, StepSizes] = (state.w, state.v, 0.0)
            w, v, gamma = ranks.attempt(self.begin, unchanged, state, n)
            exponents = state.exponents
            if exponents is None:
                exponents = ranks.attempt(self.pilot, mean.exponents, gamma, n)
            done = self.average(exponents, gamma, n)
            while not done:
                done = self.average(mean.exponents, gamma, n, again=True)
            # Before the outer rule, which may overwrite the mean displacement.
            dispersion = self.dispersion(gamma, n)
            ranks.attempt(self.update, None, w, v, gamma)
        # Readers get these arrays, so nobody may write to them.
        freeze(w)
        freeze(v)
        freeze(dispersion)
        return State(n, w, v, mean.exponents), dispersion, gamma

    def begin(self, state: State, n: int) -> tuple[Floats, Floats, StepSizes]:
        """Write the point where all learners begin round ``n``; return w, v and the step size."""
        # The state, which is read-only, and not the copies that the rule may write to later.
        self.algorithm.outer.start(state.w, state.v, self.start)
        gamma = self.algorithm.step_size(n)
        # Copies, because the outer rule works in place and arrays that were yielded never change.
        return state.w.copy(), state.v.copy(), gamma

    def pilot(self, gamma: StepSizes, n: int) -> Exponents:
        """Return the exponents of a first round, from learner 0."""
        # On every rank, so that all choose the same grids without a message.
        return self.mean.first_exponents(self.local.displacement(range(1), self.start, gamma, n))

    def average(
        self, exponents: Exponents, gamma: StepSizes, n: int, *, again: bool = False
    ) -> bool:
        """Average over all learners; False if it must be done ``again``, on wider grids."""
        ranks = self.ranks
        self.mean.begin(exponents)
        request = ranks.attempt(self.work, 0, gamma, n, again)
        done = self.mean.finish(request + ranks.signal)
        ranks.check(self.mean.requested)
        return done

    def work(self, gamma: StepSizes, n: int, again: bool) -> int:
        """Add this rank's learners to the mean; return its request."""
        self.fold(self.mean, gamma, n, again=again)
        return 0 if self.request is None else self.ranks.ask(self.request)

    def fold(self, sums: Sums, gamma: StepSizes, n: int, *, again: bool = False) -> None:
        """Add the displacements of this rank's learners to some sums, tile by tile.

        ``again`` in the same round, they are in the workspace if they fit one tile, or stored;
        else computed again, with the same noise where draws are addressed (``can_repeat``).
        """
        local, store, own = self.local, self.store, self.own
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
                place = local.displacement(learners, self.start, gamma, n, place)
            sums.fold(place)
        if is_used:
            store.stored = n

    def update(self, w: Floats, v: Floats, gamma: StepSizes) -> None:
        """Take the outer step, which must return nothing."""
        returned = self.step(w, v, self.mean.mean, gamma)
        if returned is not None:
            refuse_result(self.algorithm.outer, w, v, returned)

    def dispersion(self, gamma: StepSizes, n: int) -> Floats:
        """Return ``(1/P) sum_j ||x_j - mean||^2`` of all learners' displacements, ``(R,)``.

        Where a second pass would draw other noise, it is the difference of squares, at least 0.
        """
        mean, square = self.mean.mean, self.mean.square
        spread = np.empty(square.shape)
        self.square_sums(mean[None], spread[None])
        np.subtract(square, spread, out=spread)
        lost = find_lost(spread, square, self.mean.floor)
        if not np.count_nonzero(lost):
            return spread
        if self.algorithm.P == 1:
            spread *= 0.0  # a NaN stays
            return spread
        if not self.can_repeat:
            return np.maximum(spread, 0.0, out=spread)
        spread[lost] = self.squared_distances(lost, gamma, n)
        return spread

    def squared_distances(self, lost: Mask, gamma: StepSizes, n: int) -> Floats:
        """Return the dispersion of the replicas in ``lost`` by another pass over all learners."""
        ranks, P, exact = self.ranks, self.algorithm.P, self.exact_mean(gamma, n)
        distances = SquaredDistances(ranks.comm, P, exact.mean, exact.remainder(), lost)
        ranks.attempt(lambda: self.fold(distances, gamma, n, again=True), None)
        found = distances.finish(ranks.signal)
        ranks.check(distances.requested)
        return found

    def exact_mean(self, gamma: StepSizes, n: int) -> ExactMean:
        """Return the mean of this round, computed once more if it is the plain one."""
        if isinstance(self.mean, ExactMean):
            return self.mean
        exact = ExactMean(self.ranks.comm, self.algorithm.P, *self.start.shape)
        exponents = choose_exponents(self.mean.square, default=exact.exponents)
        while True:
            exact.begin(exponents)
            self.ranks.attempt(lambda: self.fold(exact, gamma, n, again=True), None)
            done = exact.finish(self.ranks.signal)
            self.ranks.check(exact.requested)
            if done:
                return exact
            exponents = exact.exponents


def _can_repeat(problem: Problem, P: int, options: RunOptions, size: int) -> bool:
    """True if all ranks can have their learners of a round once more.

    Draws that are not addressed come once, so the learners must still be in the workspace.  Every
    rank decides it for rank 0, which has the most, as all must agree on a second pass.
    """
    if getattr(problem.oracle, "addressed", True):
        return True
    most = len(assign_learners(P, size, 0))
    return most <= (options.tile or choose_tile(options.replicas, problem.dim, most))
