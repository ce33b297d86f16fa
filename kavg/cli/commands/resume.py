"""``kavg resume``: go on with a run, or make it longer."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from kavg.base import Communicator
from kavg.cli.environment import session
from kavg.cli.execution import go_on
from kavg.cli.output import say
from kavg.cli.saved_run import Found, opened
from kavg.config.config import to_toml
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on, run_on_rank_0
from kavg.mpi.watched_comm import set_timeout
from kavg.storage.atomic import restore_folder
from kavg.storage.checkpoint_manager import CheckpointManager
from kavg.storage.checkpoints import FOLDER
from kavg.storage.output_folder import validate_writable


def resume(
    comm: Communicator, folder: Path, rounds: int | None, *, quiet: bool, mpi: str | None
) -> None:
    """Go on with a run where it was stopped, or make a finished one longer."""

    def known() -> Found:
        found = longer(opened(folder), rounds)
        set_timeout(comm, found.config.timeout)
        return found

    run_on_rank_0(comm, lambda: restore_folder(folder))
    found = agree_on(comm, "the runs", known, lambda f: f.name)
    if found.complete:
        say(f"{str(folder)!r} is finished, {found.config.rounds} rounds; --rounds N extends it")
        return
    run_on_rank_0(comm, lambda: validate_writable(folder))
    if comm.Get_rank() == 0:
        sys.stderr.writelines(f"kavg: {note}\n" for note in found.notes)
    sessions = [*found.begun.sessions, session(comm.Get_size())]
    begun = replace(found.begun, settings=to_toml(found.config), sessions=sessions)
    last = found.source if found.source.parent.name == FOLDER else None
    manager = CheckpointManager(
        folder, found.config.checkpoint, begun, owns_folder=True, latest=last
    )
    go_on(comm, found.config, manager, quiet=quiet, mpi=mpi)


def longer(found: Found, rounds: int | None) -> Found:
    """The same, to be ended at another round."""
    before = found.config.rounds
    if rounds is None or rounds == before:
        return found
    if rounds < before:
        raise KavgError(f"--rounds makes a run longer: {before} rounds are set, got {rounds}")
    return replace(found, config=replace(found.config, rounds=rounds), complete=False)
