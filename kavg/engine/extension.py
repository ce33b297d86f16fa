"""Whether a shorter run is one that the settings of a longer one leave after fewer rounds."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kavg.engine.options import RunOptions
from kavg.engine.recorder import Recorder
from kavg.errors import KavgError
from kavg.portability import ARITHMETIC
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Trajectory
from kavg.validation import find_mismatch, validate_trajectory


class Target(Protocol):
    """A run that may extend a shorter one: what it is of, how it records, and its length."""

    problem: Problem
    algorithm: Algorithm
    options: RunOptions
    recorder: Recorder
    rounds: int


def check_extension(target: Target, before: Trajectory) -> int:
    """Return the number of rounds done by a shorter run that can be extended.

    Raises ``KavgError`` if ``before`` is not what these settings leave after fewer rounds.
    """
    try:
        done = _rounds_done(validate_trajectory(before))
        if before.arithmetic != ARITHMETIC:
            raise ValueError(
                f"it has arithmetic {before.arithmetic} and this kavg {ARITHMETIC}, so its further "
                "rounds would be others; extend it with the version that made it"
            )
        if mismatch := find_mismatch(target.problem, target.algorithm, before):
            raise ValueError(mismatch)
        _check_sizes(target, before, done)
        _check_rows(target, before, done)
        _check_end(target, before, done)
    except ValueError as reason:
        name = f" of {target.algorithm.name!r}" if target.algorithm.name else ""
        raise KavgError(f"this run{name} cannot be extended: {reason}") from None
    return done


def _rounds_done(before: Trajectory) -> int:
    if before.done is None or before.done < 0:
        raise ValueError("its number of rounds is missing")
    return before.done


def _check_sizes(target: Target, before: Trajectory, done: int) -> None:
    """Raise ``ValueError`` if the state is not one of this run."""
    R = target.options.replicas
    shape = (R, target.problem.dim)
    if before.w.shape != shape or not np.isfinite(before.w).all():
        raise ValueError(f"its w must be {shape} finite numbers")
    if target.options.mean == "exact" and done and not before.exponents.size:
        raise ValueError("the exponents of its exact mean are missing")


def _check_rows(target: Target, before: Trajectory, done: int) -> None:
    """Raise ``ValueError`` if other rounds or series than this run's were recorded."""
    every, names = target.recorder.every, set(target.recorder.series)
    if not has_recorded(before.rounds, done, every):
        raise ValueError(f"it did not record every round that every={every} makes due")
    if set(before.series) != names:
        raise ValueError(
            f"it must have recorded {', '.join(sorted(names))}, got {', '.join(before.series)}"
        )
    measures = target.recorder.round_measures
    for name, wanted in measures.describe().items():
        # Their numbers, and their order, which names of series do not show.
        if (was := before.parts.get(name, wanted)) != wanted:
            raise ValueError(f"its {name} were {was}, not {wanted}")
    memory = measures.memory
    if before.measure_memory.shape != memory.shape:
        raise ValueError(
            f"its measures must remember {memory.shape} numbers, got {before.measure_memory.shape}"
        )
    if before.gammas.shape != before.rounds.shape:
        raise ValueError("its step sizes were not recorded")


def _check_end(target: Target, before: Trajectory, done: int) -> None:
    diverged_at = before.diverged_at
    reached = done if diverged_at is None else diverged_at
    if diverged_at is not None and diverged_at != done + 1:
        raise ValueError(f"it diverged at round {diverged_at} after {done} rounds")
    if target.rounds < reached:
        raise ValueError(f"it has done {reached} rounds already, got rounds={target.rounds}")


def has_recorded(rounds: NDArray[np.int64], done: int, every: int) -> bool:
    """True if ``rounds`` are 0, every, 2 every, ... up to ``done``, and perhaps ``done`` itself.

    >>> [has_recorded(np.array([0, 3, 6, last]), 7, every=3) for last in (7, 8)]
    [True, False]
    """
    T = done // every + 1
    # Lengths first: ``done`` was read from a file and may be larger than any array.
    if len(rounds) not in ((T,) if done % every == 0 else (T, T + 1)):
        return False
    due = every * np.arange(T)
    return np.array_equal(rounds, due if len(rounds) == T else np.append(due, done))
