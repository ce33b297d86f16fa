"""``kavg verify``: check the files of a finished run, then repeat it and compare."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.options import REPETITION, FolderArgument, QuietOption, Repetition
from kavg.cli.session import Session


@command("kavg verify runs/quickstart", "mpiexec -n 4 kavg verify runs/quickstart --sample 10")
def verify(
    session: Session,
    folder: FolderArgument,
    repetition: Repetition = REPETITION,
    quiet: QuietOption = False,
) -> int:
    """Check and repeat a finished run.

    Name files of FOLDER that were changed, added or lost.  Then run the settings again and compare:
    the same bits, the same within confidence (on another machine or with other versions), or
    different, with the first round and quantity that differ.
    """
    from kavg.cli.verification import prepare_repetition, verify_run

    prepare_repetition(session, folder, repetition)
    return verify_run(session, folder, repetition, quiet=quiet)
