"""``kavg resume``: complete a stopped run, or make a finished one longer."""

from __future__ import annotations

from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.options import DataOption, FolderArgument, QuietOption
from kavg.cli.session import Session, hold_on_rank_0

RoundsOption = Annotated[
    int | None,
    typer.Option("--rounds", "-r", min=1, metavar="N", help="Extend the run to N rounds."),
]


@command("kavg resume runs/my", "mpiexec -n 4 kavg resume runs/my --rounds 500")
def resume(
    session: Session,
    folder: FolderArgument,
    rounds: RoundsOption = None,
    data: DataOption = None,
    quiet: QuietOption = False,
) -> None:
    """Resume or extend a run.

    Complete a run or a sweep that was stopped, from its last checkpoint, or make a finished run
    longer.  The result has the digest of an uninterrupted run, on any number of ranks.
    """
    from kavg.cli.execution import run_and_store
    from kavg.cli.output import print_messages, print_text
    from kavg.cli.saved_run import load_saved_run
    from kavg.cli.sweeps.detection import is_sweep_shared
    from kavg.mpi.collective import run_on_rank_0
    from kavg.storage.claims import hold_run_folder
    from kavg.storage.output_folder import validate_writable
    from kavg.text import format_count

    with hold_on_rank_0(session, folder, lambda: hold_run_folder(folder)):
        if is_sweep_shared(session, folder):
            from kavg.cli.sweeps.saved_sweep import resume_sweep

            resume_sweep(session, folder, rounds, data, quiet=quiet)
            return
        saved = load_saved_run(session, folder, rounds, data)
        if saved.is_complete:
            rounds_done = format_count(saved.config.rounds, "round")
            print_text(f"{str(folder)!r} is finished, {rounds_done}; --rounds N extends it")
            return
        run_on_rank_0(session.comm, lambda: validate_writable(folder))
        if session.rank == 0:
            print_messages(saved.warnings)
        manager = saved.manager(folder, session.size)
        run_and_store(session, saved.config, manager, quiet=quiet)
