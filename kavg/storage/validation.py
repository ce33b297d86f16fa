"""Validation of stored runs against their settings, and of their files against each other.

Types and shapes of one run are checked by ``kavg.validation``, and whether it can be extended by
``Run.extend``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.recorded_periods import period_of
from kavg.storage.digests import digest, joint_digest
from kavg.storage.tables.metrics import compare_metrics
from kavg.storage.text_files import read_json
from kavg.trajectory import Trajectory


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
    """True if each algorithm has its run, of ``rounds`` rounds unless it diverged.

    Names, P and K are compared as well: files of two runs may lie in one folder.
    """
    if len(algorithms) != len(runs):
        return False
    wanted = [
        (one.name, one.P, period_of(one, run), rounds)
        for one, run in zip(algorithms, runs, strict=True)
    ]
    return wanted == [(run.name, run.P, run.K, _end_of(run, rounds)) for run in runs]


def _end_of(run: Trajectory, rounds: int) -> int:
    return int(run.rounds[-1]) if run.diverged_at is None else rounds


def list_disagreements(folder: Path, runs: Sequence[Trajectory]) -> Iterator[str]:
    """Describe where ``metrics.csv`` and ``summary.json`` disagree with ``runs``.

    ``runs`` are the arrays of the same folder.  A manifest cannot detect this, as its checksums are
    those of any files that were written.
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
