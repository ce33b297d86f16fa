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

    Name files of FOLDER that were changed, added or lost.  Then run the settings again, of a sweep
    all stages or --sample points, and compare:
    the same bits, the same within confidence (on another machine or with other versions), or
    different, with the first round and quantity that differ.
    """
    from kavg.cli.sweeps.detection import is_sweep_shared
    from kavg.cli.sweeps.verification import verify_sweep
    from kavg.cli.verification import prepare_repetition, verify_run

    prepare_repetition(session, folder, repetition)
    repeat = verify_sweep if is_sweep_shared(session, folder) else verify_run
    return repeat(session, folder, repetition, quiet=quiet)
