"""Verification of a finished sweep: its files, then all stages, or a sample of points, again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import describe_environment, list_sessions
from kavg.cli.options import Repetition
from kavg.cli.output import print_text
from kavg.cli.replay import draw_order
from kavg.cli.session import Session
from kavg.cli.sweeps.execution import run_stages
from kavg.cli.sweeps.finished import FinishedSweep, label_runs, read_finished_sweep
from kavg.cli.verification import UNCHANGED, print_lines
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.portability import require_same_arithmetic
from kavg.reports.repetition import (
    DIFFERENT,
    Judgement,
    environment_changes,
    judge_repetition,
)
from kavg.storage import RunFolder, joint_digest
from kavg.storage.inner_manifests import list_nested_changes
from kavg.sweeps.judgement.criteria import choose_criterion
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.stored import find_sweep_mean, find_sweep_promise
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class SweepExamination:
    """The result of checking a sweep folder: its defects, environment, and the sweep in it.

    ``sweep`` is None if it cannot be read.
    """

    defects: tuple[str, ...]
    environment: Mapping[str, Any]
    sweep: FinishedSweep | None

    @property
    def identity(self) -> str:
        """The text that must be the same on all ranks."""
        digest = joint_digest(self.sweep.runs) if self.sweep else "unreadable"
        return "\n".join((digest, *self.defects))


def verify_sweep(session: Session, folder: Path, repetition: Repetition, *, quiet: bool) -> int:
    """Check the files of a sweep, repeat it, and print the differences, on rank 0.

    Without ``repetition.sample`` all stages are repeated, and the points that they keep compared;
    with it, as many points of the last stage.  Returns the exit code, as ``verify_run`` does.
    """
    found = agree_on(
        session.comm,
        "the files",
        lambda: examine_sweep_folder(folder, repetition),
        lambda each: each.identity,
    )
    print_lines(session, "files", found.defects or ["unchanged"])
    if found.sweep is None or repetition.files:
        return 1 if found.defects else 0
    judgement = _repeat_sweep(session, found, found.sweep, repetition, quiet=quiet)
    addition = "; the files are not as they were written" if found.defects else ""
    print_lines(session, "", judgement.lines)
    run_on_rank_0(session.comm, lambda: print_text(judgement.verdict + addition))
    return 1 if found.defects or judgement.verdict == DIFFERENT else 0


def examine_sweep_folder(folder: Path, repetition: Repetition) -> SweepExamination:
    """Check the files of a sweep against their manifest and each other.

    The data are needed only if points are to be repeated.

    Raises:
        KavgError: The sweep cannot be read although its files are unchanged, or its data are not
            found.
    """
    defects = list_nested_changes(folder)
    recorded = RunFolder(folder).read_table("environment.json")
    try:
        sweep = read_finished_sweep(folder, repetition.data, reads_data=not repetition.files)
    except KavgError as error:
        # Nothing is damaged, so the user gave a folder that is not a sweep of kavg.
        if not defects:
            raise
        reason = " ".join(str(error).split())
        lines = (*defects, f"the sweep cannot be repeated: {reason}")
        return SweepExamination(lines, recorded, None)
    return SweepExamination((*defects, *sweep.list_disagreements()), recorded, sweep)


def _repeat_sweep(
    session: Session,
    found: SweepExamination,
    sweep: FinishedSweep,
    repetition: Repetition,
    *,
    quiet: bool,
) -> Judgement:
    agree_on(session.comm, "the sweeps", lambda: _require_sessions(found, sweep), lambda _: "")
    here = describe_environment(session.size, session.mpi)
    promise, mean = find_sweep_promise(sweep.sweep), find_sweep_mean(sweep.sweep)
    changed = environment_changes(found.environment, here, mean, promise)
    print_lines(session, "environment", changed or [UNCHANGED[promise]])
    if repetition.sample is not None:
        before, now = _repeat_points(session, sweep, repetition, quiet=quiet)
    else:
        findings = Findings(sweep.sweep, choose_criterion(sweep.sweep), keeps_runs=True)
        run_stages(session, findings, quiet=quiet)
        if lines := list(_compare_stages(sweep, findings, same_environment=not changed)):
            return Judgement(DIFFERENT, tuple(lines))
        now = label_runs(sweep.points, [findings.runs[each.number] for each in sweep.points])
        before = label_runs(sweep.points, sweep.runs)
        print_lines(session, "recorded", [f"digest {joint_digest(before)}"])
        print_lines(session, "repeated", [f"digest {joint_digest(now)}"])
    return judge_repetition(before, now, same_environment=not changed, level=repetition.level)


def _require_sessions(found: SweepExamination, sweep: FinishedSweep) -> None:
    sessions = list_sessions(found.environment) or [
        {"arithmetic": run.arithmetic} for run in sweep.runs
    ]
    require_same_arithmetic(sessions, "the sweep", "verify")


def _compare_stages(
    stored: FinishedSweep, findings: Findings, *, same_environment: bool
) -> Iterator[str]:
    """Describe the stages of a repetition that kept other points, or ran them otherwise.

    The runs of the last stage are compared by the caller; of earlier ones only digests are stored,
    which say nothing where last bits may differ.
    """
    for stage, records in enumerate(findings.records):
        then = dict(zip(stored.numbers(stage), stored.digests(stage), strict=True))
        if then.keys() != records.keys():
            yield f"stage {stage + 1}: other points were kept"
        elif same_environment and stage < len(findings.records) - 1:
            changed = [number for number in then if then[number] != records[number].digest]
            if changed:
                yield f"stage {stage + 1}: other bits of points {changed[:9]}"


def _repeat_points(
    session: Session, stored: FinishedSweep, repetition: Repetition, *, quiet: bool
) -> tuple[list[Trajectory], list[Trajectory]]:
    """Run some points of the last stage again."""
    assert repetition.sample is not None
    chosen = sorted(draw_order(len(stored.points), repetition.seed)[: repetition.sample])
    points = tuple(stored.points[i] for i in chosen)
    # A sweep of these points alone, in the last stage.
    part = replace(stored.sweep, points=points, stages=stored.sweep.stages[-1:])
    findings = Findings(part, choose_criterion(stored.sweep), keeps_runs=True)
    run_stages(session, findings, quiet=quiet)
    now = [findings.runs[point.number] for point in points]
    before = label_runs(points, [stored.runs[i] for i in chosen])
    print_lines(session, "sample", [run.name for run in before])
    return before, label_runs(points, now)
