"""Repeat a sample of the recorded rounds of a finished run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from kavg.analysis.differences import restrict_trajectory
from kavg.base import Communicator
from kavg.cli.progress import Progress, open_progress
from kavg.cli.session import Session
from kavg.config.config import Config
from kavg.engine.measures.learner_readings import ReadingPlan
from kavg.engine.ranks import Divergence, Ranks
from kavg.engine.recorder import Recorder
from kavg.engine.rounds import iterate_rounds
from kavg.engine.snapshots import get_latest_state
from kavg.problem import Algorithm
from kavg.trajectory import Round, State, Trajectory


@final
@dataclass(frozen=True, eq=False)
class Replay:
    """An algorithm whose rounds are computed again on the ranks of ``comm``.

    ``states`` are the intermediate states that the run stored; a round is computed from the last
    state before it, or from the start.
    """

    comm: Communicator
    config: Config
    algorithm: Algorithm
    states: Sequence[State] = ()

    def trajectory(self, rounds: Iterable[int], on_round: Callable[[Round], None]) -> Trajectory:
        """Compute and measure these rounds; ``on_round`` is called after every round computed.

        In ascending order, so that each continues from the one before it unless a stored state is
        nearer.
        """
        config, wanted = self.config, set(rounds)
        recorder = Recorder(config.problem, measures=config.record.round_measures)
        measures = recorder.round_measures
        measures.plan(config.problem, self.algorithm, config.options)
        # As in the run, where a round that was recorded for a divergence alone was not due.
        every = config.record.every
        readings = measures.plan_readings(lambda n: n % every == 0 or n == config.rounds)
        iterations = self._iterations(None, readings)
        divergence: Divergence | None = None
        now = next(iterations)
        measures.update(now)
        for n in sorted(wanted):
            state = get_latest_state(self.states, n)
            # An earlier state than the current round would repeat rounds.  Runs whose measures
            # remember rounds have stored none.
            if state is not None and now.n < state.n < n:
                iterations = self._iterations(state, readings)
            while now.n < n:
                now = next(iterations)
                measures.update(now)
                on_round(now)
            what = recorder.add(now)
            if what is not None:
                divergence = Divergence(what, n)
                break
        return recorder.to_trajectory(self.algorithm, now, divergence)

    def _iterations(self, state: State | None, readings: ReadingPlan | None) -> Iterator[Round]:
        """The rounds after a state."""
        config, ranks = self.config, Ranks(self.comm, shares_failures=False)
        return iterate_rounds(
            config.problem, self.algorithm, config.options,
            ranks=ranks, state=state, readings=readings,
        )  # fmt: skip


def repeat_rounds(
    session: Session,
    config: Config,
    runs: Sequence[Trajectory],
    rows: Sequence[Sequence[int]],
    *,
    quiet: bool,
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Compute recorded rounds again, and return them as stored and as repeated.

    ``rows`` are indices into the recorded rounds of each run; runs without any are left out.
    """
    sampled = [each for each in zip(config.algorithms, runs, rows, strict=True) if each[2]]
    before = [_take_rows(run, own_rows) for _, run, own_rows in sampled]
    with open_progress(session, quiet=quiet) as progress:
        now = [
            _repeat_sample(Replay(session.comm, config, algorithm, run.states), sample, progress)
            for (algorithm, run, _), sample in zip(sampled, before, strict=True)
        ]
    return before, now


def _repeat_sample(replay: Replay, sample: Trajectory, progress: Progress) -> Trajectory:
    last = int(sample.rounds[-1])

    def show(done: Round) -> None:
        progress(sample.name, done.n, last)

    return _drop_end(replay.trajectory(sample.rounds.tolist(), show))


def sample_rows(runs: Sequence[Trajectory], count: int, seed: int) -> list[list[int]]:
    """Draw ``count`` recorded rounds of all algorithms, and return the rows of each algorithm.

    The same on every rank for the same seed; all rows if there are fewer than ``count``.
    """
    pairs = [(i, row) for i, run in enumerate(runs) for row in range(len(run.rounds))]
    taken = sorted(pairs[k] for k in draw_order(len(pairs), seed)[:count])
    return [[row for i, row in taken if i == which] for which in range(len(runs))]


def draw_order(count: int, seed: int) -> list[int]:
    """Return the numbers below ``count`` in a random order, the same for the same seed."""
    # Raw words of Philox, as NumPy may change the stream of a Generator between versions.
    words = np.random.Philox(key=seed).random_raw(count)
    return [int(k) for k in np.argsort(words, kind="stable")]


def _take_rows(run: Trajectory, rows: Sequence[int]) -> Trajectory:
    return _drop_end(
        restrict_trajectory(run, np.array(rows, np.intp), run.replicas, list(run.series))
    )


def _drop_end(run: Trajectory) -> Trajectory:
    """A run without its final w and v, which the sampled rounds need not include."""
    return replace(run, w=run.w[:, :0], v=np.empty(0), diverged_at=None, not_finite=None)
