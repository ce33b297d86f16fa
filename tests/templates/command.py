"""``kavg rounds``: the template of a command."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import FolderArgument
from kavg.cli.session import Session


@command("kavg rounds runs/quickstart")
def rounds(session: Session, folder: FolderArgument) -> None:
    """Count the rounds of a run.

    The first line is what ``kavg --help`` shows.  The body runs when the command line has been
    parsed.  It imports what it needs here and not at the top, so that help and completion stay
    quick.  Only rank 0 reads and prints; an error of rank 0 ends all ranks and is said once.
    """
    from kavg.cli.output import print_text
    from kavg.mpi.collective import run_on_rank_0
    from kavg.storage import load_trajectories

    def print_rounds() -> None:
        for run in load_trajectories(folder):
            print_text(f"{run.name}  {run.done}")

    run_on_rank_0(session.comm, print_rounds)
