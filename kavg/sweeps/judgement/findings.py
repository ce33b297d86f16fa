"""The finished points of a sweep so far, as a command collects and stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from kavg.config.config import Config
from kavg.errors import KavgError
from kavg.storage.digests import digest
from kavg.sweeps.execution.stage_run import FinishedBatch
from kavg.sweeps.judgement.criteria import Criterion
from kavg.sweeps.judgement.scores import PointRecord, keep_best, parse_record, score_run
from kavg.sweeps.points import Point
from kavg.sweeps.sweep import Sweep
from kavg.trajectory import Trajectory


@final
class Findings:
    """The records of the finished points of each stage, and the runs of the last stage.

    The same on all ranks, but for ``runs``, which only a rank that ``keeps_runs`` has.
    """

    def __init__(self, sweep: Sweep, criterion: Criterion, *, keeps_runs: bool) -> None:
        self.sweep, self.criterion, self.keeps_runs = sweep, criterion, keeps_runs
        self.records: list[dict[int, PointRecord]] = [{} for _ in sweep.stages]
        self.runs: dict[int, Trajectory] = {}
        # The number of the point and the gradients of each run of earlier looks.
        self.earlier: list[tuple[int, int]] = []
        # Plain values beside the records: a checkpoint of thousands need not convert them again.
        self._stored: list[list[dict[str, Any]]] = [[] for _ in sweep.stages]
        self._done = 0

    def add_batch(self, stage: int, finished: FinishedBatch) -> None:
        """Add the finished points of a batch."""
        batch = finished.batch
        for point, config, run in zip(batch.points, batch.configs, finished.runs, strict=True):
            self.add_record(stage, score_run(point, config, run, self.criterion))
            if stage == len(self.records) - 1 and self.keeps_runs:
                self.runs[point.number] = run

    def add_record(self, stage: int, record: PointRecord) -> None:
        """Add the record of a finished point."""
        self.records[stage][record.number] = record
        self._stored[stage].append(record.to_json())
        self._done += record.rounds

    def choose_points(self, stage: int) -> list[Point]:
        """Return the points of a stage, once the stage before it is finished."""
        if stage == 0:
            return list(self.sweep.points)
        before = self.choose_points(stage - 1)
        records = [self.records[stage - 1][point.number] for point in before]
        return keep_best(before, records, self.sweep.stages[stage].keep, self.criterion)

    def list_unfinished(self, stage: int) -> list[Point]:
        """Return the points of a stage that are still to be run."""
        return [
            point for point in self.choose_points(stage) if point.number not in self.records[stage]
        ]

    def count_gradients(self) -> int:
        """Return the gradients of all runs: of every stage, and of earlier looks at the last."""
        records = (record.gradients for stage in self.records for record in stage.values())
        return sum(records) + sum(gradients for _, gradients in self.earlier)

    def repeat_last_stage(self, replicas: int) -> None:
        """Drop the points of the last stage, so that it is run with so many replicas.

        What they cost stays in ``earlier``.
        """
        last_records = self.records[-1].values()
        self.earlier += [(record.number, record.gradients) for record in last_records]
        *others, last = self.sweep.stages
        stages = (*others, replace(last, replicas=replicas))
        self.sweep = replace(self.sweep, stages=stages)
        self.records[-1], self._stored[-1] = {}, []
        self.runs.clear()

    def to_json(self) -> dict[str, Any]:
        """Return what a checkpoint stores beside the runs, in plain values."""
        replicas = self.sweep.stages[-1].replicas
        stored = {"stages": self._stored, "runs": list(self.runs), "replicas": replicas}
        return {"done": self._done, **stored, "earlier": [list(pair) for pair in self.earlier]}

    def restore(self, stored: Mapping[str, Any], runs: Sequence[Trajectory]) -> None:
        """Enter what a checkpoint of this sweep stored.

        Raises:
            KavgError: It is not of this sweep.
        """
        try:
            if stored["replicas"] != self.sweep.stages[-1].replicas:
                self.repeat_last_stage(int(stored["replicas"]))
            for stage, records in enumerate(stored["stages"]):
                for fields in records:
                    self.add_record(stage, parse_record(fields))
            # Rounds of earlier looks count on: checkpoints are numbered by it.
            self._done = int(stored["done"])
            self.earlier = [(int(n), int(spent)) for n, spent in stored.get("earlier", ())]
            by_number = dict(zip(map(int, stored["runs"]), runs, strict=True))
            self._require_fit(by_number)
        except (LookupError, TypeError, ValueError) as error:
            raise KavgError(f"its finished points are not those of its settings: {error}") from None
        if self.keeps_runs:
            self.runs.update(by_number)

    def _require_fit(self, runs: Mapping[int, Trajectory]) -> None:
        """Raise an error unless the points of each stage were chosen from the one before it."""
        for stage, records in enumerate(self.records):
            if records:
                chosen = {point.number for point in self.choose_points(stage)}
                if not chosen.issuperset(records):
                    raise ValueError(f"stage {stage + 1} has points that were not chosen")
        if {number: digest(run) for number, run in runs.items()} != {
            number: record.digest for number, record in self.records[-1].items()
        }:
            raise ValueError("the runs of the last stage have other digests than their records")


def configure_points(points: Sequence[Point], sweep: Sweep, stage: int) -> list[Config]:
    """Return the configs of points in a stage: its seed, replicas and rounds."""
    return [sweep.stages[stage].configure(point.config) for point in points]
