"""The run folder: written whole or not at all, loaded, digested.

======================  ===========================================================================
config.toml             the settings, defaults written out
metrics.csv             long form: one line for each algorithm, recorded round and replica
trajectory.npz          the same numbers as arrays, the last ``w`` and ``v``, and some before them
summary.json            final means and limits, paired differences, digests
environment.json        versions, machine, ranks, launcher
verdicts.json           of ``kavg check`` only: each algorithm held against each bound
figures/                pictures
checkpoints/            of a run that is not finished only
manifest.sha256         name, size and SHA-256 of all of these (``kavg.manifest``)
======================  ===========================================================================
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kavg.storage import manifest
from kavg.storage.atomic import staged, written
from kavg.storage.trajectories import write_trajectories
from kavg.trajectory import Trajectory

CONTENTS: Final = (
    "config.toml",
    "metrics.csv",
    "trajectory.npz",
    "summary.json",
    "environment.json",
    "verdicts.json",
    "figures",
    "checkpoints",
    manifest.NAME,
)
"""What a run folder may hold; what else lies there is the user's, and stays."""


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON that any reader accepts: not-a-number is an error here, not a surprise there."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """UTF-8 text; what UTF-8 cannot hold (file names can) is escaped, as JSON would."""
    with written(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_bytes(path: Path, content: bytes) -> None:
    """Bytes as they are."""
    with written(path) as partial:
        partial.write_bytes(content)


def write_metrics(path: Path, trajectories: Sequence[Trajectory]) -> None:
    """``metrics.csv``; a quantity that an algorithm did not record is left empty."""
    with written(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(metrics_rows(trajectories))


def metrics_rows(trajectories: Sequence[Trajectory]) -> Iterator[list[Any]]:
    """The head of ``metrics.csv``, then its lines."""
    quantities = list(dict.fromkeys(name for run in trajectories for name in run.series))
    places = ["algorithm", "replica", "round", "step", "gradients", "communications", "seconds"]
    yield places + quantities
    for run in trajectories:
        yield from metrics_lines(run, quantities)


def metrics_lines(run: Trajectory, quantities: Sequence[str]) -> Iterator[list[Any]]:
    """The lines of one algorithm, round by round and replica by replica."""
    axes = (run.rounds, run.steps, run.gradients, run.communications, run.seconds.round(6))
    for i, at in enumerate(zip(*(axis.tolist() for axis in axes), strict=True)):
        values = [run.series[q][i].tolist() if q in run.series else None for q in quantities]
        for r in range(run.replicas):
            measured = ["" if value is None else value[r] for value in values]
            yield [run.name, r, *at, *measured]


def write_run(
    folder: Path,
    *,
    config: str,
    trajectories: Sequence[Trajectory],
    summary: Mapping[str, Any],
    environment: Mapping[str, Any],
    draw: Callable[[Path], None],
    verdicts: Mapping[str, Any] | None = None,
) -> None:
    """Write a whole run folder; ``draw`` fills ``figures/``."""
    with staged(folder, ours=CONTENTS) as stage:
        write_text(stage / "config.toml", config)
        write_metrics(stage / "metrics.csv", trajectories)
        write_trajectories(stage / "trajectory.npz", trajectories)
        write_json(stage / "summary.json", summary)
        write_json(stage / "environment.json", environment)
        if verdicts is not None:
            write_json(stage / "verdicts.json", verdicts)
        (stage / "figures").mkdir()
        draw(stage / "figures")
        write_bytes(stage / manifest.NAME, manifest.manifest_of(stage))


def enter(folder: Path, paths: Iterable[Path]) -> None:
    """Write down in a folder's manifest, if it has one, that these files in it were written."""
    content = manifest.updated(folder, paths)
    if content is not None:
        write_bytes(folder / manifest.NAME, content)
