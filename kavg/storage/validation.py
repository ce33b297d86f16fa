"""Validation of stored runs: in themselves, against the settings, and file against file.

What passes ``validate_trajectory`` has the types and shapes that a run leaves, so that no code
behind it has to look again.  Whether a run can be *extended* the engine decides (``Run.extend``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.storage.digests import digest, joint_digest
from kavg.storage.metrics import compare_metrics
from kavg.storage.text_files import read_json
from kavg.trajectory import Trajectory

COUNTS: Final = ("P", "K", "B")
COUNTABLE: Final = 2**63


def validate_trajectory(run: Trajectory) -> Trajectory:
    """Return a loaded trajectory if its types and shapes are those that a run leaves.

    Raises ``ValueError`` otherwise, and never trusts what it looks at: fields may be of any type.

    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(1), {"F": z}, z, np.empty(0), np.zeros(1))
    >>> validate_trajectory(run) is run
    True
    """
    if not isinstance(run.name, str):
        raise ValueError(f"its name must be text, got {run.name!r:.60}")
    _validate_counts(run)
    _validate_rounds(run)
    _validate_shapes(run)
    _validate_states(run)
    return run


def _validate_counts(run: Trajectory) -> None:
    for name in COUNTS:
        value = getattr(run, name)
        if type(value) is not int or not 1 <= value < COUNTABLE:
            raise ValueError(f"its {name} is {value!r:.60}")
    at = run.diverged_at
    if at is not None and not (type(at) is int and 0 <= at < COUNTABLE):
        raise ValueError(f"it diverged at {at!r:.60}")


def _validate_rounds(run: Trajectory) -> None:
    rounds = run.rounds
    if rounds.ndim != 1 or rounds.dtype != np.int64 or not rounds.size:
        raise ValueError(f"its rounds are of type {rounds.dtype} and shape {rounds.shape}")
    if rounds[0] < 0 or (np.diff(rounds) <= 0).any():
        raise ValueError("its rounds do not rise from 0 or later")
    # Python's integers: NumPy's product would wrap around.
    if int(rounds[-1]) * run.P * run.K * run.B >= COUNTABLE:
        raise ValueError("it has more gradients than can be counted")


def _validate_shapes(run: Trajectory) -> None:
    T, w = len(run.rounds), run.w
    arrays = {"w": w, "v": run.v, "seconds": run.seconds, "gammas": run.gammas} | run.series
    for name, values in arrays.items():
        if values.dtype != np.float64:
            raise ValueError(f"its {name[:60]!r} is of type {values.dtype}")
    if w.ndim != 2 or not w.size or run.v.shape not in (w.shape, (0,)):
        raise ValueError(f"its w and v are of shapes {w.shape} and {run.v.shape}")
    if run.seconds.shape != (T,) or run.gammas.shape not in ((T,), (0,)):
        raise ValueError(f"its seconds and gammas are not of shape {(T,)}")
    if any(values.shape != (T, len(w)) for values in run.series.values()):
        raise ValueError(f"its series are not of shape {(T, len(w))}")


def _validate_states(run: Trajectory) -> None:
    """Earlier states are of rounds that rise to ``done``, and like the last one."""
    numbers = [state.n for state in run.states]
    whole = all(type(n) is int for n in (*numbers, run.done or 0))
    if not whole or any(a >= b for a, b in pairwise([0, *numbers, run.done or 1])):
        raise ValueError(f"its states are of the rounds {numbers!s:.60}")
    for state in run.states:
        arrays = ((state.w, run.w), (state.v, run.v), (state.exponents, run.exponents))
        if any(_type_and_shape(one) != _type_and_shape(last) for one, last in arrays):
            raise ValueError(f"its state after round {state.n} is not like the last")


def _type_and_shape(array: NDArray[Any] | None) -> object:
    return None if array is None else (array.dtype, array.shape)


def validate_algorithms(runs: Sequence[Trajectory], algorithms: Sequence[Algorithm]) -> None:
    """Raise KavgError unless the runs are those of the first algorithms, by name.

    For a run in progress, whose checkpoint holds an algorithm only once it has begun; see
    ``is_finished`` for one that is complete.
    """
    if len(runs) > len(algorithms):
        raise KavgError(f"it holds {len(runs)} runs of {len(algorithms)} algorithms")
    for algorithm, run in zip(algorithms, runs, strict=False):
        if algorithm.name != run.name:
            raise KavgError(f"it holds a run of {run.name!r} in place of {algorithm.name!r}")


def is_finished(runs: Sequence[Trajectory], algorithms: Sequence[Algorithm], rounds: int) -> bool:
    """True if each algorithm has its run, of ``rounds`` rounds unless it diverged."""
    wanted = [(one.name, one.P, one.K, rounds) for one in algorithms]
    return wanted == [(run.name, run.P, run.K, _end_of(run, rounds)) for run in runs]


def _end_of(run: Trajectory, rounds: int) -> int:
    return int(run.rounds[-1]) if run.diverged_at is None else rounds


def list_disagreements(folder: Path, runs: Sequence[Trajectory]) -> Iterator[str]:
    """Describe where ``metrics.csv`` and ``summary.json`` do not say what ``runs`` say.

    ``runs`` are the arrays of the same folder.  A manifest cannot find this: it has the checksums
    of whatever was written.
    """
    try:
        difference = compare_metrics(folder / "metrics.csv", runs)
    except (OSError, ValueError):
        difference = "cannot be read"
    if difference is not None:
        yield f"'metrics.csv' {difference}"
    if _digests_in(folder / "summary.json") != [joint_digest(runs), *map(digest, runs)]:
        yield "'summary.json' has other digests than the arrays in 'trajectory.npz'"


def _digests_in(path: Path) -> list[Any]:
    """The joint digest and that of each algorithm; empty if there is no summary to read."""
    try:
        summary = read_json(path)
    except KavgError:
        return []
    algorithms = summary.get("algorithms")
    facts = list(algorithms.values()) if isinstance(algorithms, dict) else []
    digests = [fact.get("digest") if isinstance(fact, dict) else None for fact in facts]
    return [summary.get("digest"), *digests]
