"""A run while it grows: at every round it is what a run of that many rounds leaves.

So there is one notion of stopping.  What a checkpoint holds is a shorter run, and to resume is to
extend it: the same as making a finished run longer.
"""

from __future__ import annotations

from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from kavg.engine.recorder import Recorder
from kavg.engine.snapshots import Kept, most_kept
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Round, State, Trajectory


@final
class Growing:
    """A run of ``rounds`` rounds that is not there yet: the last round, and what was recorded."""

    def __init__(
        self, problem: Problem, algorithm: Algorithm, recorder: Recorder, rounds: int, every: int
    ) -> None:
        self.problem, self.algorithm, self.recorder = problem, algorithm, recorder
        self.rounds, self.every = rounds, every
        self.last: Round | None = None
        self.diverged_at: int | None = None
        self.kept = Kept(0)

    @property
    def left(self) -> int:
        """Rounds still to do."""
        return self.rounds - (self.last.n if self.last else 0)

    def begin(self, start: Round) -> None:
        """Record the start."""
        if not self.recorder.add(start):
            raise KavgError("F or its gradient is not finite at the start; start nearer to 0")
        self.last, self.kept = start, Kept(most_kept(*start.w.shape))

    def take_up(self, before: Trajectory, replicas: int, *, exact: bool) -> None:
        """Go on where a shorter run ended, with only the rows that a longer run records.

        Where it diverged the round is run again: it may have been looked at only because it was
        the last, and a longer run would not have looked.
        """
        done = checked(self, before, replicas, exact)
        last = before.rounds[-1] == done
        dispersion = before.series["dispersion"][-1] if last else np.full(replicas, np.nan)
        gamma = self.algorithm.step_size(done) if done else float("nan")
        state = State(done, before.w, before.v, before.exponents if done else None)
        self.last, self.kept = Round(state, dispersion, gamma), Kept(most_kept(*before.w.shape))
        for one in (*before.states, state):
            self.kept.add(one)
        self.recorder.take_up(before, before.rounds % self.every == 0)

    def add(self, now: Round) -> bool:
        """Record a round where it is due; False if a value is not finite."""
        wanted = now.n % self.every == 0 or now.n == self.rounds
        if not np.isfinite(now.w).all() or (wanted and not self.recorder.add(now)):
            self.diverged_at = now.n
            return False
        self.last = now
        self.kept.add(now.state)
        return True

    def trajectory(self) -> Trajectory:
        """The run as far as it is, the last round recorded: the run of so many rounds."""
        assert self.last is not None
        extra = self.recorder.rounds[-1] != self.last.n and self.recorder.add(self.last)
        states = (state for state in self.kept.states if state is not self.last.state)
        run = self.recorder.trajectory(self.algorithm, self.last, self.diverged_at, states)
        if extra:
            self.recorder.forget()
        return run


class Supervisor(Protocol):
    """Looks after a run from outside, on every rank."""

    def asks(self) -> int:
        """What this rank asks of all in this round (see ``meta_iterations``)."""
        ...

    def told(self, run: Growing) -> None:
        """A round is done; an exception ends the run."""
        ...


def checked(run: Growing, before: Trajectory, R: int, exact: bool) -> int:
    """The rounds that a shorter run has done, if ``run`` can extend it."""
    done = before.done
    if not isinstance(done, int) or done < 0:
        raise unfit(run, "it does not say how many rounds it has done")
    misfit = misfit_of_sizes(run, before, done, R, exact) or misfit_of_rows(run, before, done, R)
    if misfit:
        raise unfit(run, misfit)
    reached = done if before.diverged_at is None else before.diverged_at
    if before.diverged_at is not None and before.diverged_at != done + 1:
        raise unfit(run, f"it diverged at round {before.diverged_at} after {done} rounds")
    if run.rounds < reached:
        raise unfit(run, f"it has done {reached} rounds already, got rounds={run.rounds}")
    return done


def unfit(run: Growing, reason: str) -> KavgError:
    """A shorter run that cannot be extended."""
    name = f" of {run.algorithm.name!r}" if run.algorithm.name else ""
    return KavgError(f"this run{name} cannot be extended: {reason}")


def misfit_of_sizes(run: Growing, before: Trajectory, done: int, R: int, exact: bool) -> str:
    """Where the state of a shorter run is not one of this problem and algorithm; else empty."""
    algorithm, problem = run.algorithm, run.problem
    sizes = (algorithm.P, algorithm.K, problem.oracle.constants(problem.objective).B)
    if sizes != (before.P, before.K, before.B):
        return f"its P, K, B are {before.P}, {before.K}, {before.B}, needed are {sizes}"
    shape = (R, problem.objective.dim)
    if not (is_array(before.w, "f8", shape) and np.isfinite(before.w).all()):
        return f"its w is not {shape} finite numbers"
    if not is_array(before.v, "f8", shape if algorithm.outer.memory else (0,)):
        return "its v is not that of the outer rule"
    if exact and done and not is_array(before.exponents, "i8", (R,)):
        return "the grids of its exact mean were not kept"
    return ""


def misfit_of_rows(run: Growing, before: Trajectory, done: int, R: int) -> str:
    """Where what a shorter run recorded is not what this one records; else empty."""
    if not has_rows(before.rounds, done, run.every):
        return f"it did not record the rounds that every={run.every} asks for"
    T, names = len(before.rounds), set(run.recorder.series)
    if set(before.series) != names:
        return f"it recorded {', '.join(before.series)}, needed are {', '.join(sorted(names))}"
    tables = all(is_array(values, "f8", (T, R)) for values in before.series.values())
    if not tables or not all(is_array(x, "f8", (T,)) for x in (before.gammas, before.seconds)):
        return f"its series are not of shape {(T, R)}"
    at = int(before.rounds[-1])
    if at and before.gammas[-1] != run.algorithm.step_size(at):
        return f"its gamma in round {at} was {before.gammas[-1]}"
    return ""


def is_array(value: object, kind: str, shape: tuple[int, ...]) -> bool:
    """Is it an array of that type and shape?"""
    return isinstance(value, np.ndarray) and value.dtype == np.dtype(kind) and value.shape == shape


def has_rows(rounds: NDArray[np.int64], done: int, every: int) -> bool:
    """Are these ``0, every, 2 every, ...`` up to ``done``, and perhaps ``done`` itself?"""
    T = done // every + 1
    lengths = (T,) if done % every == 0 else (T, T + 1)
    if not any(is_array(rounds, "i8", (length,)) for length in lengths):
        return False
    wanted = every * np.arange(T)
    return np.array_equal(rounds, wanted if len(rounds) == T else np.append(wanted, done))
