"""``kavg run``: run all algorithms of a settings file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kavg.base import Communicator
from kavg.cli.environment import session
from kavg.cli.execution import agreed, go_on
from kavg.config.config import data_digest, to_toml
from kavg.mpi.collective import run_on_rank_0
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import Checkpoint
from kavg.storage.output_folder import remove_checkpoints, validate_output_folder


def run(
    comm: Communicator,
    path: Path,
    overrides: Sequence[str],
    folder: Path,
    *,
    force: bool,
    quiet: bool,
    mpi: str | None,
) -> None:
    """Load, agree, run, report, write."""
    config = agreed(comm, path, overrides)
    run_on_rank_0(comm, lambda: validate_output_folder(folder, force))
    if force:
        run_on_rank_0(comm, lambda: remove_checkpoints(folder))
    begun = Checkpoint(to_toml(config), data_digest(config), (), [session(comm.Get_size())])
    manager = CheckpointManager(folder, config.checkpoint, begun, owns_folder=force)
    go_on(comm, config, manager, quiet=quiet, mpi=mpi)
