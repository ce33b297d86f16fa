"""A run in progress.  Stopped after n rounds, it equals a run of n rounds.

So a checkpoint is a shorter run, and resuming one means extending it, as for a finished run that is
made longer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, final

import numpy as np

from kavg.arrays import own_array
from kavg.base import AdaptivePeriod, Communicator, Floats
from kavg.engine.extension import check_extension
from kavg.engine.local.learner_states import gather_slots
from kavg.engine.options import RunOptions
from kavg.engine.ranks import Divergence
from kavg.engine.recorder import Recorder
from kavg.engine.snapshots import Snapshots, max_snapshots
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count
from kavg.trajectory import NOT_FINITE, Round, State, Trajectory


@final
class Run:
    """A run of ``rounds`` rounds in progress: its last round, snapshots and recorded rows.

    ``last`` is None until the start is added; ``divergence`` says which value of which round was
    not finite.  ``complete_run`` does the rounds that are left; ``to_trajectory`` may be called
    after any of them.
    """

    def __init__(
        self,
        problem: Problem,
        algorithm: Algorithm,
        options: RunOptions,
        recorder: Recorder,
        rounds: int,
    ) -> None:
        self.problem, self.algorithm, self.options = problem, algorithm, options
        self.recorder = recorder
        recorder.round_measures.plan(problem, algorithm, options)
        self.rounds = check_count("rounds", rounds, "use rounds=1 for a single averaging")
        self.last: Round | None = None
        self.divergence: Divergence | None = None
        self.snapshots = Snapshots(self._max_snapshots())

    @property
    def rounds_left(self) -> int:
        """The number of rounds still to do."""
        return self.rounds - (self.last.n if self.last else 0)

    def is_due(self, n: int) -> bool:
        """True if round ``n`` is recorded: every ``every``-th and the last."""
        return n % self.recorder.every == 0 or n == self.rounds

    def add_start(self, start: Round) -> None:
        """Add round 0, which is always recorded.

        Raises ``KavgError`` if F or its gradient is not finite there.
        """
        self.recorder.round_measures.update(start)
        what = self.recorder.add(start)
        if what is not None:
            raise KavgError(f"{what} is not finite at the start; start nearer to 0")
        self.last = start

    def add(self, now: Round) -> None:
        """Add the next round, and record it if it is due.

        Raises ``Divergence`` if w, F or its gradient is not finite: the run has ended with the
        round before.
        """
        measures = self.recorder.round_measures
        remembered = measures.memory
        # One replica that diverges ends the run of all; its last finite round stays.
        what = None if np.isfinite(now.w).all() else NOT_FINITE[0]
        if what is None:
            measures.update(now)
            if self.is_due(now.n):
                what = self.recorder.add(now)
        if what is not None:
            # What was remembered belongs to the last round, as w does.
            measures.memory = remembered
            self.divergence = Divergence(what, now.n)
            raise self.divergence
        self.last = now
        self.snapshots.add(now.state)

    def extend(self, before: Trajectory) -> None:
        """Continue a shorter run of the same settings, with the rows that a longer run records.

        Raises ``KavgError`` if ``before`` is not a run of these settings, or is longer.
        """
        done = check_extension(self, before)
        recorded = before.rounds[-1] == done
        # The dispersion of a round that was not recorded is lost; as NaN it is not recorded later.
        dispersion = (
            before.series["dispersion"][-1] if recorded else np.full(self.options.replicas, np.nan)
        )
        gamma = self.algorithm.step_size(done) if done else float("nan")
        steps = before.done_steps
        if steps is None and recorded:
            steps = int(before.steps[-1])
        # A run that diverged runs that round again: a longer run might not have measured it.
        state = _copy_state(
            State(
                done, before.w, before.v,
                exponents=before.exponents if done else None,
                steps=steps,
                K=before.next_K if isinstance(self.algorithm.K, AdaptivePeriod) else None,
                slots=before.slots if before.slots.size else None,
            )
        )  # fmt: skip
        self.last = Round(state, dispersion, gamma, K=before.K if done else 0)
        for one in (*map(_copy_state, before.states), state):
            self.snapshots.add(one)
        self.recorder.load_rows(before, before.rounds % self.recorder.every == 0)
        self.recorder.round_measures.load(before.measure_memory)

    def _max_snapshots(self) -> int:
        """Return how many snapshots a run keeps: none where a state is more than w and v."""
        algorithm = self.algorithm
        remembers = self.recorder.round_measures.memory.size > 0
        if remembers or algorithm.carries_slots or isinstance(algorithm.K, AdaptivePeriod):
            return 0
        numbers = self.problem.dim * max(1, int(algorithm.outer.memory))
        return max_snapshots(self.options.replicas, numbers)

    @property
    def keeps_slots(self) -> bool:
        """True if learners keep arrays of their own from round to round."""
        return self.algorithm.learner_slots > 0

    def gather_slots(self, comm: Communicator) -> Floats | None:
        """Return the slots of all learners, for ``to_trajectory``; None where none are kept.

        One ``Allgather``, made by all ranks, where slots are kept; else nothing.
        """
        slots, P = self.last.state.slots if self.last else None, self.algorithm.P
        if slots is None or not self.keeps_slots:
            return None
        # A run that was extended by no round still has all.  Of a single learner rank 0 always has
        # all and others may have none, so that they gather: each rank must decide the same.
        is_whole = len(slots) == P and (P > 1 or comm.Get_size() == 1)
        return slots if is_whole else gather_slots(comm, P, slots)

    def to_trajectory(self, slots: Floats | None = None) -> Trajectory:
        """Return the run so far as a run that was meant to end here: its last round is recorded.

        ``slots`` are what ``gather_slots`` found, where there are several ranks.  The run itself is
        not changed and can go on.
        """
        assert self.last is not None
        is_recorded = self.recorder.rounds[-1] == self.last.n
        # Dropped again below, as a longer run records this round only if it is due.
        is_extra = not is_recorded and self.recorder.add(self.last) is None
        states = (state for state in self.snapshots.states if state is not self.last.state)
        last = self.last
        if slots is not None:
            last = replace(last, state=replace(last.state, slots=slots))
        run = self.recorder.to_trajectory(self.algorithm, last, self.divergence, states)
        if is_extra:
            self.recorder.drop_last_row()
        return run


def _copy_state(state: State) -> State:
    """Return a state whose arrays the caller cannot change."""
    exponents = state.exponents
    return State(
        state.n,
        own_array(state.w, np.float64),
        own_array(state.v, np.float64),
        None if exponents is None else own_array(exponents, np.int64),
        state.steps,
        state.K,
        None if state.slots is None else own_array(state.slots, state.slots.dtype),
    )


class Callback(Protocol):
    """Actions between rounds, on every rank: progress, checkpoints or an orderly stop.

    All ranks must act alike.  A rank that wants something of all, such as to stop, returns it from
    ``request``; every rank reads the sum in ``run.last.requested`` after the same round.
    """

    def request(self) -> int:
        """Return this rank's request in a round: a small number, 0 for none."""
        ...

    def on_round(self, run: Run) -> None:
        """Act after a round; an exception ends the run."""
        ...
