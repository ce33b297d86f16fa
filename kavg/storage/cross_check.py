"""A finished run, read back, and what its files say of each other."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError
from kavg.storage.output_folder import refuse_unfinished
from kavg.storage.run_folder import metrics_rows
from kavg.storage.trajectories import digest, joint_digest
from kavg.trajectory import Trajectory

LARGEST: Final = 2**26
"""Bytes of the largest summary or environment that is read."""


def check_is_folder(folder: Path) -> None:
    """Refuse what is no folder at all, or not yet that of a run."""
    if not os.path.isdir(folder):
        raise KavgError(f"there is no folder {str(folder)!r}; give the one that kavg run wrote")
    refuse_unfinished(folder)


def read_json(path: Path) -> dict[str, Any]:
    """A table that kavg wrote as JSON; empty where it is not there or says anything else."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def discord(folder: Path, runs: Sequence[Trajectory]) -> Iterator[str]:
    """What ``metrics.csv`` and ``summary.json`` say otherwise than ``trajectory.npz``."""
    yield from metrics_off(folder / "metrics.csv", runs)
    summary = read_json(folder / "summary.json")
    algorithms = summary.get("algorithms")
    facts = list(algorithms.values()) if isinstance(algorithms, dict) else []
    told = [fact.get("digest") if isinstance(fact, dict) else None for fact in facts]
    if [summary.get("digest"), *told] != [joint_digest(runs), *map(digest, runs)]:
        yield "'summary.json' has other digests than the arrays in 'trajectory.npz'"


def metrics_off(path: Path, runs: Sequence[Trajectory]) -> Iterator[str]:
    """The first line that is not what the arrays give, to the last letter."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(metrics_rows(runs), start=1):
                expected = io.StringIO()
                csv.writer(expected, lineterminator="\n").writerow(row)
                if file.read(len(expected.getvalue())) != expected.getvalue():
                    yield f"'metrics.csv' has another line {number} than 'trajectory.npz' gives"
                    return
            if file.read(1):
                yield "'metrics.csv' has more lines than 'trajectory.npz' gives"
    except (OSError, ValueError):
        yield "'metrics.csv' cannot be read"
