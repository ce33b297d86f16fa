"""The folder of a finished sweep, written by rank 0.

======================  ===========================================================================
config.toml             the settings, with the table ``[sweep]``
points.csv              a line for each point, replica and recorded round of the last stage
schema.json             name, unit and meaning of its columns
trajectory.npz          the same numbers as arrays, with the last ``w`` and ``v`` of each point
sweep.json              points, stages with the score of each point, winners, what was spent
best.toml               the winners' settings, ready to run; ``best/`` if they need several files
summary.json            digests
environment.json        versions, machine, ranks, launcher
points/                 with ``--folders``: a run folder for each point of the last stage
figures/                pictures, if any were drawn
manifest.sha256         name, size and SHA-256 of all of these
======================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import describe_environment, installed_version
from kavg.cli.output import draw_if_possible, print_messages, print_text
from kavg.cli.results import summarize_runs
from kavg.cli.session import Session
from kavg.cli.sweeps.figures import draw_sweep_figures
from kavg.cli.sweeps.file_places import list_large_tables, list_places
from kavg.cli.sweeps.looks import LastLook
from kavg.cli.sweeps.options import SweepOptions
from kavg.cli.sweeps.report import describe_sweep, order_runs, write_best_settings
from kavg.cli.sweeps.tables import format_sweep_table
from kavg.config import to_toml
from kavg.errors import KavgError, RunFailed
from kavg.mpi.collective import run_on_rank_0
from kavg.mpi.signals import SignalExit
from kavg.storage import RunFolder, StoredRun, digest, joint_digest
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.output_folder import hold_unused_folder
from kavg.storage.tables import ResultTable
from kavg.storage.tables.result_files import write_result_table
from kavg.storage.text_files import write_json, write_text
from kavg.storage.trajectories import write_trajectories
from kavg.sweeps.execution.spreading import Spreading
from kavg.sweeps.judgement.early_arrivals import list_early_arrivals
from kavg.sweeps.judgement.findings import Findings, configure_points
from kavg.sweeps.judgement.grid_ends import list_grid_ends
from kavg.sweeps.judgement.results import SweepResult, judge_sweep
from kavg.sweeps.stored import describe_sweep_data, find_sweep_promise
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True, eq=False)
class SweepResults:
    """A finished sweep and how it was made.

    ``spreadings`` are those of its stages; ``options`` say what to write, and ``earlier`` are the
    sessions before this one.
    """

    findings: Findings
    spreadings: Sequence[Spreading]
    options: SweepOptions
    last: LastLook
    earlier: Sequence[Mapping[str, Any]] = ()


def write_sweep_results(
    session: Session, results: SweepResults, folder: Path, *, force: bool, quiet: bool
) -> None:
    """Write the sweep folder, then print the table and where it is, on rank 0.

    As ``write_results`` does for a run: the caller holds the lock of ``folder``, and without
    ``force`` a folder that appeared meanwhile is not touched.

    Raises:
        RunFailed: The folder cannot be written.
    """
    findings = results.findings
    result = judge_sweep(findings, results.last.look.level)
    lock = None
    try:
        if not force:
            folder, lock = hold_unused_folder(folder)
        write = partial(_write_files, session, results, result, folder)
        RunFolder(folder, is_locked=True).replace(write, partial(_draw_if_wanted, findings, result))
    except OSError as error:
        reason = error.strerror or error
        raise RunFailed(f"cannot write {str(folder)!r}: {reason}") from None
    finally:
        if lock is not None:
            lock.release()
    if not quiet:
        print_text(f"\n{format_sweep_table(findings, result, results.last)}\n")
    print_messages(list_grid_ends(findings.sweep.points, result))
    print_messages(list_early_arrivals(findings.criterion, result))
    print_text("\n".join(list_places(order_runs(findings), folder)))
    print_messages(list_large_tables(folder))
    if findings.sweep.points[0].config.figures and not installed_version("matplotlib"):
        print_text("no figure: pip install 'kavg[plot]' draws one")


def _write_files(
    session: Session,
    results: SweepResults,
    result: SweepResult,
    folder: Path,
    stage: Path,
) -> None:
    findings = results.findings
    runs = order_runs(findings)
    content = describe_sweep(findings, result, results.spreadings)
    content["until"] = results.last.to_json()
    write_text(stage / "config.toml", findings.sweep.to_toml(folder))
    write_result_table(stage, tabulate_runs(findings, runs), form=results.options.table.value)
    write_trajectories(stage / "trajectory.npz", runs)
    write_json(stage / "sweep.json", content)
    for name, text in write_best_settings(result, folder).items():
        (stage / name).parent.mkdir(exist_ok=True)
        write_text(stage / name, text)
    write_json(stage / "summary.json", summarize_sweep(runs))
    facts = describe_sweep_environment(session, results)
    write_json(stage / "environment.json", facts)
    if results.options.folders:
        _write_point_folders(findings, facts, stage, folder)


def tabulate_runs(findings: Findings, runs: Sequence[Trajectory]) -> ResultTable:
    """Return the table of the runs of the last stage, with all varied settings as columns."""
    points = findings.choose_points(len(findings.records) - 1)
    settings = [point.settings for point in points]
    return ResultTable(runs, settings, [point.number for point in points], findings.sweep.places)


def summarize_sweep(runs: Sequence[Trajectory]) -> dict[str, Any]:
    """Build the content of ``summary.json``: the digest of all runs and of each."""
    return {"digest": joint_digest(runs), "digests": list(map(digest, runs))}


def describe_sweep_environment(session: Session, results: SweepResults) -> dict[str, Any]:
    """Build the content of ``environment.json``."""
    sweep = results.findings.sweep
    facts = describe_environment(session.size, session.mpi)
    facts |= {**describe_sweep_data(sweep), "earlier": list(results.earlier)}
    facts["same_bits"] = find_sweep_promise(sweep)
    return facts


def _write_point_folders(
    findings: Findings, facts: Mapping[str, Any], stage: Path, folder: Path
) -> None:
    """Write run folders to ``stage``, which becomes ``folder``."""
    last = len(findings.records) - 1
    points = findings.choose_points(last)
    configs = configure_points(points, findings.sweep, last)
    for point, config in zip(points, configs, strict=True):
        run, place = findings.runs[point.number], Path("points", f"{point.number:04d}")
        settings = to_toml(config, folder / place)
        stored = StoredRun(settings, [run], summarize_runs([run]), facts)
        RunFolder(stage / place, is_locked=True).write(stored)


def _draw_if_wanted(findings: Findings, result: SweepResult, figures: Path) -> None:
    if findings.sweep.points[0].config.figures:
        draw_if_possible(lambda: draw_sweep_figures(findings, result, figures))


def store_sweep(
    session: Session, results: SweepResults, manager: CheckpointManager, *, quiet: bool
) -> None:
    """Write the sweep folder on rank 0; after a signal meanwhile, a checkpoint."""

    def write() -> None:
        try:
            write_sweep_results(
                session, results, manager.folder, force=manager.owns_folder, quiet=quiet
            )
        except KavgError as error:
            raise RunFailed(f"{error}; {manager.advice}") from None
        except SignalExit:
            manager.save()
            raise

    run_on_rank_0(session.comm, write)
