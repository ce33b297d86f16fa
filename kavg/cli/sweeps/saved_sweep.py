"""Stopped sweeps: the finished points of their last checkpoint, to be completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import describe_session
from kavg.cli.output import print_messages, print_text
from kavg.cli.resumption.last_checkpoint import (
    find_checkpoint,
    find_last_session,
    list_version_warnings,
)
from kavg.cli.session import Session
from kavg.cli.sweeps.execution import run_stages
from kavg.cli.sweeps.loading import describe_sweep_inputs
from kavg.cli.sweeps.looks import LookPlan, plan_sweep_looks, run_looks
from kavg.cli.sweeps.options import SweepOptions, TableForm
from kavg.cli.sweeps.output import SweepResults, store_sweep
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.mpi.watched_comm import set_timeout
from kavg.portability import require_same_arithmetic
from kavg.storage.checkpoint_line import read_checksum
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import Checkpoint, read_checkpoint
from kavg.storage.output_folder import is_unfinished, validate_writable
from kavg.sweeps.execution.spreading import Spreading
from kavg.sweeps.judgement.criteria import choose_criterion
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.stored import describe_sweep_data, find_sweep_promise, load_stored_sweep


@final
@dataclass(frozen=True, eq=False)
class SavedSweep:
    """A stopped sweep: what is finished, its looks, the checkpoint it is from, and warnings."""

    findings: Findings
    plan: LookPlan
    begun: Checkpoint
    path: Path
    sha256: str
    warnings: Sequence[str]

    @property
    def identity(self) -> str:
        """The text that must be the same on all ranks."""
        return f"{self.path.name} {self.sha256}, {describe_sweep_inputs(self.findings.sweep)}"

    @property
    def options(self) -> SweepOptions:
        """The options that the sweep was started with."""
        return parse_options(self.begun)

    def manager(self, folder: Path, ranks: int) -> CheckpointManager:
        """Return the checkpoint manager of the sweep, continued on ``ranks`` ranks."""
        sweep = self.findings.sweep
        session = describe_session(ranks) | describe_sweep_data(sweep)
        sessions = [*self.begun.sessions, session]
        begun = replace(self.begun, settings=sweep.to_toml(folder), sessions=sessions)
        policy = sweep.points[0].config.checkpoint
        return CheckpointManager(folder, policy, begun, owns_folder=True, latest=self.path)


def resume_sweep(
    session: Session, folder: Path, rounds: int | None, data: Path | None, *, quiet: bool
) -> None:
    """Complete a stopped sweep in ``folder``, whose lock is held.

    Raises:
        KavgError: ``rounds`` are given, or no checkpoint can be used.
    """
    run_on_rank_0(session.comm, lambda: _refuse_rounds(rounds))
    if not is_unfinished(folder):
        print_text(f"{str(folder)!r} is finished; kavg sweep with --force runs other settings")
        return

    def load_here() -> SavedSweep:
        saved = read_saved_sweep(folder, data, keeps_runs=session.rank == 0)
        set_timeout(session.comm, saved.findings.sweep.points[0].config.timeout)
        return saved

    saved = agree_on(session.comm, "the sweeps", load_here, lambda each: each.identity)
    run_on_rank_0(session.comm, lambda: validate_writable(folder))
    if session.rank == 0:
        print_messages(saved.warnings)
    manager = saved.manager(folder, session.size)

    def run() -> list[Spreading]:
        return run_stages(session, saved.findings, quiet=quiet, manager=manager)

    last, spreadings = run_looks(session, saved.findings, saved.plan, run)
    results = SweepResults(saved.findings, spreadings, saved.options, last, saved.begun.sessions)
    store_sweep(session, results, manager, quiet=quiet)


def parse_options(begun: Checkpoint) -> SweepOptions:
    """Return the options that a sweep was started with, but for how it was spread.

    Raises ``KavgError`` if its checkpoint has others than ``kavg sweep`` takes.
    """
    stored = begun.sweep or {}
    until, budget = stored.get("until"), stored.get("budget")
    is_right = isinstance(until, str | None) and isinstance(budget, int | str | None)
    if not is_right or stored.get("table", "csv") not in [*TableForm]:
        raise KavgError("its options are not those of kavg sweep")
    return SweepOptions(
        folders=bool(stored.get("folders")),
        table=TableForm(stored.get("table", "csv")),
        until=until,
        # A number of replicas, as kavg 0.5.0 stored it.
        budget=None if budget is None else str(budget),
    )


def _refuse_rounds(rounds: int | None) -> None:
    if rounds is not None:
        raise KavgError("--rounds is for runs: the rounds of a sweep are those of its settings")


def read_saved_sweep(folder: Path, data: Path | None, *, keeps_runs: bool) -> SavedSweep:
    """Read the newest usable checkpoint of a sweep.

    Raises:
        KavgError: None can be used.
    """

    def load(path: Path) -> tuple[Findings, LookPlan, Checkpoint]:
        return load_sweep_checkpoint(path, data, keeps_runs=keeps_runs)

    path, (findings, plan, begun), warnings = find_checkpoint(folder, load)
    warnings += list_version_warnings(begun.sessions, find_sweep_promise(findings.sweep))
    return SavedSweep(findings, plan, begun, path, read_checksum(path), warnings)


def load_sweep_checkpoint(
    path: Path, data: Path | None, *, keeps_runs: bool
) -> tuple[Findings, LookPlan, Checkpoint]:
    """Read a checkpoint of a sweep, and check that its settings, points and data fit.

    Raises:
        OtherArithmetic: A session of it had another arithmetic than this kavg.
        KavgError: It is damaged, or its settings cannot have led to its points.
    """
    begun = read_checkpoint(path)
    folder = path.parents[1]
    require_same_arithmetic(begun.sessions, f"the sweep in {str(folder)!r}", "complete")
    try:
        if begun.sweep is None:
            raise KavgError("it is of a run and not of a sweep")
        sweep = load_stored_sweep(begun.settings, folder, _find_facts(begun), data)
        options = parse_options(begun)
        plan = plan_sweep_looks(sweep, options.until, options.budget)
        findings = Findings(sweep, choose_criterion(sweep), keeps_runs=keeps_runs)
        findings.restore(begun.sweep, begun.runs)
    except KavgError as error:
        reason = str(error).replace("\n", "; ")
        raise KavgError(f"{str(path)!r} is refused: {reason}") from None
    return findings, plan, begun


def _find_facts(begun: Checkpoint) -> Mapping[str, Any]:
    return {**find_last_session(begun.sessions), "data": begun.data}
