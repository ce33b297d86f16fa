"""A finished run, or a sample of its rounds, run again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kavg.base import Algorithm, Communicator
from kavg.config import Config
from kavg.differences import cut
from kavg.progress import Progress, shown_on, silent
from kavg.record import Recorder
from kavg.rounds import Round, State
from kavg.simulate import meta_iterations
from kavg.trajectory import Trajectory

Runs = list[Trajectory]
Known = Callable[[int], State | None]
"""The last stored state before a round, from where it can be run again; None for the start."""


def unknown(_: int) -> State | None:
    """No state is stored: everything is run from the start."""
    return None


def unheard(_: Round) -> None:
    """Nobody is told of rounds."""


def sampled(
    comm: Communicator, config: Config, runs: Runs, count: int, seed: int, quiet: bool
) -> tuple[Runs, Runs]:
    """``count`` recorded rounds as they were stored, and as they come again."""
    picked = chosen(runs, count, seed)
    before = [rows_of(run, rows) for run, rows in zip(runs, picked, strict=True)]
    pairs = [(a, run) for a, run in zip(config.algorithms, before, strict=True) if run.rounds.size]

    def all_of_them(progress: Progress) -> Runs:
        return [series_alone(again(comm, config, a, run, progress)) for a, run in pairs]

    if quiet or comm.Get_rank() > 0:
        return [run for _, run in pairs], all_of_them(silent)
    with shown_on(sys.stderr) as progress:
        return [run for _, run in pairs], all_of_them(progress)


def rows_of(run: Trajectory, rows: Sequence[int]) -> Trajectory:
    """These recorded rounds of a run."""
    return series_alone(cut(run, np.array(rows, np.intp), run.replicas, list(run.series)))


def series_alone(run: Trajectory) -> Trajectory:
    """Without the end of the run, which a sample need not reach."""
    return replace(run, w=run.w[:, :0], diverged_at=None)


def again(
    comm: Communicator, config: Config, algorithm: Algorithm, run: Trajectory, progress: Progress
) -> Trajectory:
    """The rounds of a stored run."""
    name, last = algorithm.name, int(run.rounds[-1])
    rounds = run.rounds.tolist()
    return replayed(
        comm, config, algorithm, rounds, on_round=lambda done: progress(name, done.n, last)
    )


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
    known: Known = unknown,
    on_round: Callable[[Round], None] = unheard,
) -> Trajectory:
    """These rounds of an algorithm, measured again; each from the last known state before it."""
    recorder, iterations = Recorder(config.problem, {}), begun(comm, config, algorithm, None)
    now, diverged_at = next(iterations), None
    for n in sorted(rounds):
        state = known(n)
        if state is not None and now.n < state.n < n:
            iterations = begun(comm, config, algorithm, state)
        while now.n < n:
            now = next(iterations)
            on_round(now)
        if not recorder.add(now):
            diverged_at = n
            break
    return recorder.trajectory(algorithm, now, diverged_at)


def begun(
    comm: Communicator, config: Config, algorithm: Algorithm, state: State | None
) -> Iterator[Round]:
    """The rounds behind a state."""
    return meta_iterations(
        config.problem,
        algorithm,
        replicas=config.replicas,
        seed=config.seed,
        comm=comm,
        mean=config.mean,
        dtype=config.dtype,
        state=state,
    )
