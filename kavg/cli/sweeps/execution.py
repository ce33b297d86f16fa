"""Run the stages of a sweep on all ranks, from the start or from a checkpoint."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from math import inf
from typing import Final, final

from kavg.cli.environment import list_unlike_ranks
from kavg.cli.output import print_messages
from kavg.cli.progress import show_nothing
from kavg.cli.session import Session
from kavg.cli.supervisor import Supervisor
from kavg.cli.sweeps.display import SweepDisplay, format_duration, open_sweep_display
from kavg.engine.agreement import group_ranks, name_ranks
from kavg.errors import CollectiveError, RunFailed
from kavg.mpi.signals import defer_signals
from kavg.mpi.watched_comm import TIMEOUT, set_place
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.sweeps.execution.batches import PointBatch
from kavg.sweeps.execution.spreading import Spreading, SpreadName, plan_stage
from kavg.sweeps.execution.stage_run import FinishedBatch, run_stage
from kavg.sweeps.judgement.findings import Findings, configure_points
from kavg.sweeps.judgement.scores import describe_record, order_records
from kavg.sweeps.labels import abbreviate_settings
from kavg.sweeps.stored import find_sweep_promise
from kavg.text import format_count

LEAST_SHARE: Final = 0.02
"""Share of a stage from which the time left is shown."""


def run_stages(
    session: Session,
    findings: Findings,
    *,
    quiet: bool,
    manager: CheckpointManager | None = None,
    spread: SpreadName | None = None,
) -> list[Spreading]:
    """Run all points that are not finished, stage by stage; return how each was spread.

    ``findings`` are filled, on all ranks alike; on rank 0 ``manager`` writes checkpoints of them.
    """
    print_messages(list_unlike_ranks(session.comm, find_sweep_promise(findings.sweep)))
    mine = manager if session.rank == 0 else None
    with open_sweep_display(session, quiet=quiet) as display, defer_signals() as signals:
        supervisor = Supervisor(session.comm, show_nothing, signals, mine)
        runner = StageRunner(session, findings, supervisor, display)
        spreadings = [runner.run(stage, spread) for stage in range(len(findings.records))]
    # Outside the block, so that from here on a signal ends the command at once.
    supervisor.stop_if_requested()
    # Rank 0 now writes and draws, which may take longer than a small timeout allows.
    set_place(session.comm, "after the last stage", work_limit=TIMEOUT)
    return spreadings


@final
class StageRunner:
    """Runs stages, and between their waves shows progress, writes checkpoints and stops."""

    def __init__(
        self, session: Session, findings: Findings, supervisor: Supervisor, display: SweepDisplay
    ) -> None:
        self.session, self.findings = session, findings
        self.supervisor, self.display = supervisor, display

    def run(self, stage: int, spread: SpreadName | None) -> Spreading:
        """Run the points of a stage that are not finished."""
        findings, comm = self.findings, self.session.comm
        points = findings.list_unfinished(stage)
        configs = configure_points(points, findings.sweep, stage)
        batches, spreading = plan_stage(points, configs, self.session.size, spread)
        observer = StageObserver(self, stage, batches, spreading)
        # A rank that waits for a longer batch of another is not stuck as long as that one replies.
        limit = inf if spreading.over == "batches" else 0.0
        set_place(comm, f"stage {stage + 1}", work_limit=limit)
        for finished in run_stage(batches, spreading, comm, observer):
            self.enter(stage, finished)
            observer.on_wave(finished)
        return spreading

    def enter(self, stage: int, finished: Sequence[FinishedBatch]) -> None:
        """Enter finished batches, save a checkpoint if one is due, and end after a signal."""
        findings, supervisor = self.findings, self.supervisor
        for each in finished:
            findings.add_batch(stage, each)
        self._compare_ranks(stage, finished)
        manager = supervisor.manager
        if manager is not None:
            manager.update_sweep(list(findings.runs.values()), findings.to_json())
        supervisor.place = f"in stage {stage + 1} of {len(findings.records)}"
        supervisor.stop_if_requested()
        if manager is not None and manager.is_due_for_sweep:
            manager.save()

    def _compare_ranks(self, stage: int, finished: Sequence[FinishedBatch]) -> None:
        """Raise CollectiveError if ranks hold different runs of the same points."""
        if self.session.size == 1:
            return
        records = self.findings.records[stage]
        points = [point for each in finished for point in each.batch.points]
        found = repr([records[point.number].digest for point in points])
        groups = group_ranks(self.session.comm, hashlib.sha256(found.encode()).digest())
        if len(groups) > 1:
            raise CollectiveError(
                "\n  ".join(
                    [
                        "ranks hold different runs of the same points:",
                        *(f"{name_ranks(r)}: {key.hex()[:16]}" for key, r in groups.items()),
                        "nothing is written; the cause is a processor, memory or the MPI library",
                    ]
                ),
                RunFailed.code,
            )


@final
class StageObserver:
    """Follows the rounds and waves of one stage, for its display."""

    def __init__(
        self, runner: StageRunner, stage: int, batches: Sequence[PointBatch], spreading: Spreading
    ) -> None:
        self.runner, self.spreading = runner, spreading
        self.name = f"stage {stage + 1} of {len(runner.findings.records)}"
        self.records = runner.findings.records[stage]
        self.all = len(self.records) + sum(len(batch.points) for batch in batches)
        self.work = sum(batch.work for batch in batches) or 1.0
        self.done, self.began, self.best = 0.0, time.monotonic(), ""

    def request(self) -> int:
        """Return 1 if this rank caught a signal, else 0."""
        return self.runner.supervisor.request()

    def on_round(self, batch: PointBatch, n: int) -> None:
        """Show the share of the stage that is done, with this round."""
        # The other ranks are assumed to be as far with batches of their own.
        at_once = self.spreading.size if self.spreading.over == "batches" else 1
        share = self.done + min(
            at_once * batch.work * n / batch.batch.rounds, self.work - self.done
        )
        self._show(share / self.work)

    def on_wave(self, finished: Sequence[FinishedBatch]) -> None:
        """Show what is finished, and the best so far."""
        self.done += sum(each.batch.work for each in finished)
        if not self.records:  # stopped
            return
        findings = self.runner.findings
        best = order_records(list(self.records.values()), findings.criterion)[0]
        point = next(each for each in findings.sweep.points if each.number == best.number)
        label = f"{point.algorithm} {abbreviate_settings(point.settings)}"
        self.best = f", best {label}: {describe_record(best, findings.criterion)}"
        self._show(self.done / self.work)

    def _show(self, share: float) -> None:
        passed = time.monotonic() - self.began
        # Before, what is made once for a stage takes most of the time, and makes hours of seconds.
        is_known = LEAST_SHARE <= share < 1
        left = f", {format_duration(passed * (1 - share) / share)} left" if is_known else ""
        points = f"{len(self.records)} of {format_count(self.all, 'point')}"
        # The last rounds of a batch come before its points are entered.
        share = min(share, 1.0 if len(self.records) == self.all else 0.99)
        self.runner.display(self.name, share, f"{points}{left}{self.best}")
