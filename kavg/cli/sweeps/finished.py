"""Finished sweeps as they were written: settings, points and runs of the last stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from kavg.config.toml import read_settings
from kavg.errors import KavgError
from kavg.storage import RunFolder, digest, joint_digest, load_trajectories
from kavg.storage.regular_files import require_file
from kavg.storage.tables import ResultTable
from kavg.storage.tables.result_files import list_table_disagreements
from kavg.storage.text_files import read_json
from kavg.sweeps.points import Point
from kavg.sweeps.stored import load_stored_sweep
from kavg.sweeps.sweep import Sweep
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class FinishedSweep:
    """A finished sweep: its settings, the content of ``sweep.json``, the runs of its last stage.

    ``points`` are those of the last stage, in the order of ``runs``.
    """

    folder: Path
    sweep: Sweep
    content: Mapping[str, Any]
    points: Sequence[Point]
    runs: Sequence[Trajectory]

    def list_disagreements(self) -> Iterator[str]:
        """Describe where the table and the digests disagree with the arrays."""
        settings = [point.settings for point in self.points]
        numbers = [point.number for point in self.points]
        table = ResultTable(self.runs, settings, numbers, self.sweep.places)
        yield from list_table_disagreements(self.folder, table)
        digests = list(map(digest, self.runs))
        if self.digests(-1) != digests or self.content.get("digest") != joint_digest(self.runs):
            yield "'sweep.json' has other digests than the arrays in 'trajectory.npz'"
        if RunFolder(self.folder).read_table("summary.json").get("digests") != digests:
            yield "'summary.json' has other digests than the arrays in 'trajectory.npz'"

    def digests(self, stage: int) -> list[str]:
        """Return the recorded digests of the points of a stage."""
        return list(self.content["stages"][stage]["digests"])

    def numbers(self, stage: int) -> list[int]:
        """Return the numbers of the points of a stage."""
        return list(self.content["stages"][stage]["points"])


def read_finished_sweep(
    folder: Path, data: Path | None = None, *, reads_data: bool = True
) -> FinishedSweep:
    """Read a finished sweep, with its data unless told otherwise.

    Raises:
        KavgError: A file cannot be read, or they are not of one sweep.
    """
    text = read_settings(require_file(folder / "config.toml"))
    facts = RunFolder(folder).read_table("environment.json")
    sweep = load_stored_sweep(text, folder, facts, data, reads_data=reads_data)
    content, runs = read_json(folder / "sweep.json"), load_trajectories(folder)
    sweep = _add_replicas(sweep, content)
    by_number = {point.number: point for point in sweep.points}
    try:
        numbers = content["stages"][-1]["points"]
        points = [by_number[number] for number in numbers]
        names = [point.config.algorithms[0].name for point in points]
        if names != [run.name for run in runs] or len(content["stages"]) != len(sweep.stages):
            raise ValueError
    except (LookupError, TypeError, ValueError):
        raise KavgError(
            f"config.toml, sweep.json and trajectory.npz in {str(folder)!r} are not of one sweep; "
            "run the settings again"
        ) from None
    return FinishedSweep(folder, sweep, content, points, runs)


def _add_replicas(sweep: Sweep, content: Mapping[str, Any]) -> Sweep:
    """The sweep with the replicas that ``--until`` added to its last stage."""
    stages = content.get("stages")
    replicas = stages[-1].get("replicas") if stages and content.get("until") else None
    if not isinstance(replicas, int):
        return sweep
    *others, last = sweep.stages
    return replace(sweep, stages=(*others, replace(last, replicas=replicas)))


def label_runs(points: Sequence[Point], runs: Sequence[Trajectory]) -> list[Trajectory]:
    """Return runs that are named after their points, for messages."""
    return [replace(run, name=point.label) for point, run in zip(points, runs, strict=True)]


def name_points(folder: Path, runs: Sequence[Trajectory]) -> list[Trajectory]:
    """Return the runs of a folder, those of a sweep named after their points by ``sweep.json``.

    Raises:
        KavgError: ``sweep.json`` cannot be read, or is that of another sweep.
    """
    path = folder / "sweep.json"
    if not path.is_file():
        return list(runs)
    content = read_json(path)
    try:
        labels = {point["number"]: str(point["label"]) for point in content["points"]}
        names = [labels[number] for number in content["stages"][-1]["points"]]
        return [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    except (LookupError, TypeError, ValueError):
        raise KavgError(f"{str(path)!r} does not fit trajectory.npz beside it") from None
