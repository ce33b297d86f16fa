"""The learners of asynchronous SGD: updates in turn, of which every rank computes all."""

from __future__ import annotations

import warnings
from typing import Final, NamedTuple, final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Asynchronous, Floats
from kavg.elementary.sums import sum_squares
from kavg.engine.blas_threads import limit_blas_to_one_thread
from kavg.engine.learners import Request, compare_first_gradient
from kavg.engine.local.local_steps import LocalSteps
from kavg.engine.local.round_method import RoundSteps, count_steps
from kavg.engine.measures.learner_readings import ReadingPlan
from kavg.engine.options import RunOptions
from kavg.engine.ranks import Ranks
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Round, State


class _Turns(NamedTuple):
    """What the updates of a round leave."""

    w: Floats
    past: Floats | None
    dispersion: Floats


@final
class AsynchronousLearners:
    """The learners of an ``Asynchronous`` aggregation, with workspace for all rounds.

    ``iterates (count_past + P + 1, R, d)`` are those before the round, the oldest first, then the
    newest of each update.  An update depends on the one before, so ranks cannot divide them: all
    compute the same numbers, and share requests and failures by one ``Allreduce`` a round.
    """

    def __init__(
        self,
        problem: Problem,
        algorithm: Algorithm,
        options: RunOptions,
        ranks: Ranks,
        request: Request | None,
        readings: ReadingPlan | None = None,
    ) -> None:
        if readings is not None and readings.passes_again:
            raise KavgError(
                "the spread of the learners needs learners that move at once, got asynchronous "
                "ones; leave the measure out"
            )
        self.reads_displacement = readings is not None and readings.displacement
        assert isinstance(algorithm.aggregation, Asynchronous)
        R, d, P = options.replicas, problem.dim, algorithm.P
        self.problem, self.algorithm, self.request = problem, algorithm, request
        self.ranks, self.rank, self.seed = ranks, ranks.comm.Get_rank(), options.seed
        self.aggregation: Final = algorithm.aggregation
        # One learner in a tile, as each begins after the one before has ended.
        self.local = LocalSteps(
            problem, algorithm, own=range(0), seed=options.seed, R=R, tile=1, dtype=options.dtype
        )
        self.kept = self.aggregation.count_past(P)
        self.iterates = np.empty((self.kept + P + 1, R, d))
        self.start, self.rows = np.empty((R, d)), np.arange(R)
        self.requested = np.zeros(1)

    def check_plan(self, state: State, drawn: Floats, found: list[str]) -> None:
        """Compare a learner's gradient with ``drawn``, and warn of suspicions on rank 0."""
        last = compare_first_gradient(self.problem, self.algorithm, self.local, state, drawn)
        for text in (found or filter(None, [last])) if self.rank == 0 else ():
            warnings.warn(text, stacklevel=4)

    def round(self, state: State) -> Round:
        """Return the round after ``state``: P updates."""
        n, algorithm, ranks = state.n + 1, self.algorithm, self.ranks
        ranks.place = n
        nothing = _Turns(state.w, None, state.w), RoundSteps(n, 0, 1, 0.0)
        # A run that diverges overflows, which the recorder finds.
        quiet = np.errstate(over="ignore", under="ignore", invalid="ignore")
        with limit_blas_to_one_thread(), quiet:
            (w, past, dispersion), steps = ranks.attempt(self.take_turns, nothing, state)
            requested = self.share_requests()
        exponents = freeze(np.zeros(len(w), np.int64))  # no grid, as nothing is summed
        # Every rank has the dispersion, so each finds the same without a message.
        K = ranks.attempt(algorithm.adapt_period, None, n, steps.K, dispersion)
        after = State(n, w, state.v, exponents, steps.first + steps.K, K, past)
        # The mean of P moves, one after another.
        moved = freeze((w - state.w) / algorithm.P) if self.reads_displacement else None
        gamma = float(steps.gamma)
        return Round(after, dispersion, gamma, requested, steps.K, displacement=moved)

    def take_turns(self, state: State) -> tuple[_Turns, RoundSteps]:
        """Take the K steps of one learner after another, each from a point that is old enough."""
        n, algorithm, newest = state.n + 1, self.algorithm, self.kept
        K = algorithm.count_local_steps(n) if state.K is None else state.K
        steps = RoundSteps(n, count_steps(algorithm, state), K, algorithm.step_size(n))
        # Before the start all iterates are the start.
        self.iterates[:newest] = state.w if state.slots is None else state.slots[0]
        self.iterates[newest] = state.w
        P, R = algorithm.P, len(self.rows)
        staleness = self.aggregation.draw_staleness(self.seed, n, R, P)
        squares = np.zeros(R)
        for j in range(P):
            # Each replica begins at an iterate of its own age.
            self.start[...] = self.iterates[newest + j - staleness[:, j], self.rows]
            squares += sum_squares(self.iterates[newest + j] - self.start)
            moved = self.local.displacement(range(j, j + 1), self.start, steps)
            before, after = self.iterates[newest + j : newest + j + 2]
            np.add(before, moved[0, :, :-1], out=after)
        # Copies, because arrays that were yielded never change.
        past = freeze(self.iterates[None, P:-1].copy()) if newest else None
        return _Turns(freeze(self.iterates[-1].copy()), past, freeze(squares / P)), steps

    def share_requests(self) -> int:
        """Return the sum of all ranks' requests; stop where one of them has failed."""
        ranks = self.ranks
        # Also where nobody asks, as a failure travels with the request.
        own = 0 if self.request is None else ranks.attempt(ranks.ask, 0, self.request)
        ranks.comm.Allreduce(np.array([float(own + ranks.signal)]), self.requested)
        requested = int(self.requested[0])
        ranks.check(requested)
        return requested
