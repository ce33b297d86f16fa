"""The run of a batch in progress: rounds of all points at once, each ended as if it were alone."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.arrays import freeze
from kavg.engine.agreement import group_ranks, name_ranks
from kavg.engine.batch.batch_recorder import BatchRecorder
from kavg.engine.batch.planning import Batch
from kavg.engine.batch.point_states import (
    BatchRound,
    keep_points,
    repeat_state,
    rows_of,
    take_point,
)
from kavg.engine.batch.shared_draws import SharedDraws, can_share_draws
from kavg.engine.batch.stacked_method import StackedMethod
from kavg.engine.contracts import explain_failure
from kavg.engine.learners import Learners, Request
from kavg.engine.ranks import Divergence, Ranks
from kavg.engine.run import Run
from kavg.engine.snapshots import Snapshots, max_snapshots
from kavg.errors import CollectiveError, KavgError
from kavg.problem import Problem
from kavg.trajectory import Round, State, Trajectory

OnRound = Callable[[int, int], None]
"""Called with the number of a round that was done, and the sum of the ranks' requests in it."""
FOUND: Final = 2**20
"""What a rank adds to its request after it found a point that diverged."""


@final
class BatchRun:
    """The points of a batch that still run, and the trajectories of those that have ended.

    A point whose w, F or gradient is not finite ends with the round before, and its rows are
    dropped: at once with one rank; with several after the next round, whose sum has told all of
    them.  So a round has one ``Allreduce`` also where points end.
    """

    def __init__(self, batch: Batch, ranks: Ranks, request: Request | None) -> None:
        options, points = batch.options, len(batch.algorithms)
        self.batch, self.ranks, self.request, self.R = batch, ranks, request, options.replicas
        self.recorder = BatchRecorder(batch.problem, points, self.R, batch.rounds, batch.every)
        self.snapshots = Snapshots(max_snapshots(self.R, batch.problem.dim))
        self.points = np.arange(points)
        self.diverged: list[int] = []
        """Positions of the points that diverged and whose rows are still there."""
        self.ended: dict[int, Trajectory] = {}
        self.last = self._begin()

    def _begin(self) -> BatchRound:
        problem, options, points = self.batch.problem, self.batch.options, len(self.points)
        w = freeze(problem.first_iterate(options.seed, self.R))
        state = repeat_state(State(0, w, np.empty(0)), points)
        start = BatchRound(state, self.points, np.zeros(points * self.R), [np.nan] * points)
        for what in self.recorder.add(start).values():
            raise KavgError(f"{what} is not finite at the start; start nearer to 0")
        return start

    def complete(self, on_round: OnRound | None) -> list[Trajectory]:
        """Do all rounds; return the trajectories in the order of the batch."""
        ranks, rounds = self.ranks, self.batch.rounds
        while self.points.size and self.last.n < rounds:
            planned = ranks.attempt(self._plan, None)
            # A rank without workspace cannot take part in the sum of a round.
            ranks.meet()
            assert planned is not None
            points = self.points
            while points is self.points and self.last.n < rounds:
                self._do_round(*planned, on_round)
        ranks.attempt(self._end_all, None)
        ranks.meet()
        if not ranks.is_alone:
            self._agree()
        return [self.ended[point] for point in range(len(self.batch.algorithms))]

    def _plan(self) -> tuple[Learners, StackedMethod]:
        batch, points = self.batch, len(self.points)
        objective, oracle = batch.problem.objective, batch.problem.oracle
        assert can_share_draws(oracle)
        chosen = [batch.algorithms[point] for point in self.points]
        method = StackedMethod(chosen, self.R, batch.problem.dim)
        problem = Problem(objective, SharedDraws(oracle, points, method.K))
        options = replace(batch.options, replicas=points * self.R)
        has_request = self.request is not None or not self.ranks.is_alone
        ask = self._ask if has_request else None
        return Learners(problem, method, options, self.ranks, ask), method

    def _ask(self) -> int:
        own = 0 if self.request is None else self.request()
        return own + FOUND * bool(self.diverged)

    def _do_round(
        self, learners: Learners, method: StackedMethod, on_round: OnRound | None
    ) -> None:
        ranks, n = self.ranks, self.last.n + 1
        try:
            state, dispersion, _ = learners.advance(self.last.state)
        except Exception as error:
            place = ranks.failed_in if error is ranks.failure else n
            explain_failure(error, f"round {place}, on rank {learners.rank}")
        now = BatchRound(state, self.points, dispersion, method.sizes)
        found, requested = divmod(learners.mean.requested, FOUND)
        if found:
            self._agree()
            now = self._drop(now)
        ranks.attempt(partial(self._take, now), None)
        if self.diverged and ranks.is_alone:
            self.last = self._drop(self.last)
        if on_round is not None:
            ranks.attempt(partial(on_round, n, requested), None)

    def _take(self, now: BatchRound) -> None:
        """Record a round, and end the points that it shows to have diverged."""
        found = self.recorder.add(now)
        for position, what in found.items():
            self._end(position, Divergence(what, now.n))
        self.diverged = list(found)
        self.last = now
        self.snapshots.add(now.state)

    def _drop(self, now: BatchRound) -> BatchRound:
        """Drop the rows of points that diverged; return a round without them."""
        keep = np.ones(len(self.points), np.bool_)
        keep[self.diverged] = False
        self.diverged, self.points = [], self.points[keep]
        states = self.snapshots.states
        self.snapshots.states = [keep_points(state, keep, self.R) for state in states]
        self.last = self._narrow(self.last, keep)
        return self.last if now.n == self.last.n else self._narrow(now, keep)

    def _narrow(self, now: BatchRound, keep: NDArray[np.bool_]) -> BatchRound:
        gammas = [gamma for gamma, kept in zip(now.gammas, keep, strict=True) if kept]
        dispersion = now.dispersion[np.repeat(keep, self.R)]
        return BatchRound(keep_points(now.state, keep, self.R), self.points, dispersion, gammas)

    def _end_all(self) -> None:
        for position in range(len(self.points)):
            if position not in self.diverged:
                self._end(position)

    def _end(self, position: int, divergence: Divergence | None = None) -> None:
        """End a point after the last round, as the run of it alone would."""
        batch, last, point = self.batch, self.last, int(self.points[position])
        algorithm = batch.algorithms[point]
        take = partial(take_point, position=position, R=self.R, memory=bool(algorithm.outer.memory))
        recorder = copy(self.recorder.standard)
        self.recorder.give_rows(point, last.n, recorder)
        run = Run(batch.problem, algorithm, batch.options, recorder, batch.rounds)
        dispersion = freeze(last.dispersion[rows_of(position, self.R)].copy())
        run.last = Round(take(last.state), dispersion, last.gammas[position])
        states = (state for state in self.snapshots.states if state.n != last.n)
        run.snapshots.states = list(map(take, states))
        run.divergence = divergence
        self.ended[point] = run.to_trajectory()

    def _agree(self) -> None:
        """Raise ``CollectiveError`` unless all ranks found the same points diverged.

        One ``Allgather``.
        """
        mask = np.zeros(len(self.points), np.uint8)
        mask[self.diverged] = 1
        groups = group_ranks(self.ranks.comm, mask.tobytes())
        if len(groups) > 1:
            each = "; ".join(
                f"{found.count(1)} on {name_ranks(ranks)}" for found, ranks in groups.items()
            )
            raise CollectiveError(
                f"ranks must find the same points diverged in round {self.last.n}, got {each}; "
                "their machines compute other numbers (docs/mpi.md)"
            )
