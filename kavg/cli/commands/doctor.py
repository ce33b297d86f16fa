"""``kavg doctor``: check the environment of a run, and report what is missing."""

from __future__ import annotations

from kavg.cli.command import command
from kavg.cli.session import Session


@command("kavg doctor", "mpiexec -n 4 kavg doctor")
def doctor(session: Session) -> int:
    """Diagnose the installation.

    Check versions, the MPI library and its launcher, cores, BLAS threads, memory, write access and
    disk space, and run a small self-test on ranks.  Each item is fine, or wrong with how to fix it.
    """
    from kavg.cli.doctor.diagnosis import diagnose

    return diagnose(session)
