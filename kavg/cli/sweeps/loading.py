"""Sweeps read from a settings file on all ranks, and the claim of their folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kavg.cli.environment import describe_session, installed_version, source_digest
from kavg.cli.execution import announce_settings, hold_output
from kavg.cli.options import Output
from kavg.cli.output import print_messages
from kavg.cli.session import Session
from kavg.cli.sweeps.options import SweepOptions
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.mpi.watched_comm import set_timeout
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import Checkpoint
from kavg.storage.output_folder import remove_checkpoints
from kavg.sweeps.fairness import list_sweep_warnings
from kavg.sweeps.judgement.criteria import Criterion, choose_criterion
from kavg.sweeps.parser import load_sweep
from kavg.sweeps.stored import describe_sweep_data
from kavg.sweeps.sweep import Sweep
from kavg.text import format_count
from kavg.version import __version__


@final
@dataclass(frozen=True)
class SweepSource:
    """A settings file with a table ``[sweep]``, or with ``grids``, and what changes it.

    ``overrides`` are those of ``--set``; ``content`` is what was read of a pipe.
    """

    path: Path
    overrides: Sequence[str] | None = None
    grids: Sequence[str] | None = None
    content: bytes | None = None

    def load(self) -> Sweep:
        """Return the sweep of the file; raise KavgError if it cannot be used."""
        return load_sweep(self.path, self.overrides or (), self.grids or (), self.content)


def load_shared_sweep(session: Session, source: SweepSource) -> Sweep:
    """Load a sweep on every rank.

    Raises:
        KavgError: The file cannot be used, or ranks differ in settings, data or versions.
    """

    def load_here() -> Sweep:
        sweep = source.load()
        set_timeout(session.comm, sweep.points[0].config.timeout)
        return sweep

    sweep = agree_on(session.comm, "the settings", load_here, describe_sweep_inputs)
    if session.rank == 0:
        first, *others = (point.config for point in sweep.points)
        announce_settings(first, others)
        print_messages([describe_extent(sweep), *list_sweep_warnings(sweep)])
    return sweep


def share_criterion(session: Session, sweep: Sweep) -> Criterion:
    """Return ``choose_criterion``, which must be the same on all ranks."""
    return agree_on(session.comm, "the targets", lambda: choose_criterion(sweep), repr)


def describe_extent(sweep: Sweep) -> str:
    """Describe how many points a sweep has, and its stages, in a line."""
    stages = sweep.stages
    kept = ["best" if stage.keep == 1 else f"best {stage.keep}" for stage in stages[1:]]
    rest = f" in {len(stages)} stages: all, then the {', then the '.join(kept)}" if kept else ""
    whom = " of each algorithm and cell" if kept else ""
    return f"{format_count(len(sweep.points), 'point')}{rest}{whom}"


def describe_sweep_inputs(sweep: Sweep) -> str:
    """Describe the inputs that must be the same on all ranks: program, settings and data."""
    versions = f"kavg {__version__} of source {source_digest()}, numpy {installed_version('numpy')}"
    text = hashlib.sha256(sweep.text.encode()).hexdigest()
    return f"{versions}, settings {text}, data {describe_sweep_data(sweep)['data']}"


def begin_sweep(sweep: Sweep, options: SweepOptions) -> dict[str, Any]:
    """Return what a checkpoint stores of a sweep without finished points."""
    stored = {"stages": [], "runs": [], "replicas": sweep.stages[-1].replicas}
    chosen = {"folders": options.folders, "table": options.table.value}
    return {"done": 0, **stored, **chosen, "until": options.until, "budget": options.budget}


@contextmanager
def claim_new_sweep(
    session: Session, sweep: Sweep, folder: Path, output: Output, options: SweepOptions
) -> Iterator[CheckpointManager]:
    """Hold the folder of a new sweep while the block runs; yield its checkpoint manager.

    Raises:
        KavgError: The folder is taken and not to be replaced, or it cannot be written.
    """
    with hold_output(session, folder, output) as held:
        if output.force:
            # Before the first round, or a crash would leave checkpoints of another run.
            run_on_rank_0(session.comm, lambda: remove_checkpoints(held))
        facts = describe_session(session.size) | describe_sweep_data(sweep)
        start = Checkpoint(
            sweep.to_toml(held), facts["data"], (), [facts], begin_sweep(sweep, options)
        )
        policy = sweep.points[0].config.checkpoint
        manager = CheckpointManager(held, policy, start, owns_folder=output.force)
        try:
            yield manager
        finally:
            manager.release()
