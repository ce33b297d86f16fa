"""A finished run, or a sample of its rounds, run again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kavg.analysis.differences import restrict_trajectory
from kavg.base import Communicator
from kavg.cli.execution import shown
from kavg.cli.progress import Progress
from kavg.config.config import Config
from kavg.engine.recorder import Recorder
from kavg.engine.rounds import iterate_rounds
from kavg.engine.snapshots import get_latest_state
from kavg.problem import Algorithm
from kavg.trajectory import Round, State, Trajectory

Runs = list[Trajectory]


def sampled(
    comm: Communicator, config: Config, runs: Runs, count: int, seed: int, quiet: bool
) -> tuple[Runs, Runs]:
    """``count`` recorded rounds as they were stored, and as they come again.

    Each is run from the last state before it that the run kept, or from the start.
    """
    picked = zip(config.algorithms, runs, chosen(runs, count, seed), strict=True)
    samples = [(a, rows_of(run, rows), run.states) for a, run, rows in picked if rows]
    with shown(comm, quiet) as progress:
        now = [again(comm, config, a, run, states, progress) for a, run, states in samples]
    return [run for _, run, _ in samples], now


def rows_of(run: Trajectory, rows: Sequence[int]) -> Trajectory:
    """These recorded rounds of a run."""
    return series_alone(
        restrict_trajectory(run, np.array(rows, np.intp), run.replicas, list(run.series))
    )


def series_alone(run: Trajectory) -> Trajectory:
    """Without the end of the run, which a sample need not reach."""
    return replace(run, w=run.w[:, :0], v=np.empty(0), diverged_at=None)


def again(
    comm: Communicator,
    config: Config,
    algorithm: Algorithm,
    run: Trajectory,
    states: Sequence[State],
    progress: Progress,
) -> Trajectory:
    """The rounds of a stored run."""
    rounds = run.rounds.tolist()

    def on_round(done: Round) -> None:
        progress(algorithm.name, done.n, rounds[-1])

    return series_alone(replayed(comm, config, algorithm, rounds, states, on_round))


def chosen(runs: Sequence[Trajectory], count: int, seed: int) -> list[list[int]]:
    """``count`` of all recorded (algorithm, round) pairs at random: rows of each algorithm.

    The same for the same seed on every rank; all of them where there are not so many.
    """
    pairs = [(i, row) for i, run in enumerate(runs) for row in range(len(run.rounds))]
    order = np.argsort(np.random.Philox(key=seed).random_raw(len(pairs)), kind="stable")
    taken = sorted(pairs[k] for k in order[:count])
    return [[row for i, row in taken if i == which] for which in range(len(runs))]


def replayed(
    comm: Communicator,
    config: Config,
    algorithm: Algorithm,
    rounds: Iterable[int],
    states: Sequence[State],
    on_round: Callable[[Round], None],
) -> Trajectory:
    """These rounds of an algorithm, measured again; each from the last of the states before it."""
    recorder, iterations = Recorder(config.problem), begun(comm, config, algorithm, None)
    now, diverged_at = next(iterations), None
    for n in sorted(rounds):
        state = get_latest_state(states, n)
        if state is not None and now.n < state.n < n:
            iterations = begun(comm, config, algorithm, state)
        while now.n < n:
            now = next(iterations)
            on_round(now)
        if not recorder.add(now):
            diverged_at = n
            break
    return recorder.to_trajectory(algorithm, now, diverged_at)


def begun(
    comm: Communicator, config: Config, algorithm: Algorithm, state: State | None
) -> Iterator[Round]:
    """The rounds behind a state."""
    return iterate_rounds(config.problem, algorithm, config.options, comm=comm, state=state)
