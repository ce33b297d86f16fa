"""The beginning and the end of MPI, which wait for all ranks; ``MPI`` is the module of mpi4py."""

from __future__ import annotations

import os
import signal
import warnings
from typing import Any

from kavg.mpi.deadline import or_end
from kavg.mpi.launchers import Launch, validate_library, validate_world_size
from kavg.mpi.watched_comm import TIMEOUT, Watched


def all_ranks_begin(MPI: Any, launch: Launch | None) -> Any:
    """The world, watched if it has several ranks; refuses one that is not as promised."""
    library = MPI.Get_library_version()
    if not MPI.Is_initialized():
        validate_library(library, launch)
        begin(MPI, launch)
    comm = MPI.COMM_WORLD
    validate_world_size(comm.Get_size(), library, launch)
    if comm.Get_size() == 1:
        return comm
    watched = Watched(comm, talks=MPI.Query_thread() == MPI.THREAD_MULTIPLE)
    signal.signal(signal.SIGCONT, watched.wake)
    return watched


def begin(MPI: Any, launch: Launch | None) -> None:
    """Begin as mpi4py would; by its own variable one can ask for less than several threads."""
    level = os.environ.get("MPI4PY_RC_THREAD_LEVEL", "multiple").upper()
    # The first rank to give up ends the job, before others say the same.
    later = min(0.3 * (launch.rank if launch else 0), 2.0)
    with or_end(TIMEOUT + later), warnings.catch_warnings():
        # mpi4py warns of a foreign launcher from every copy; validate_world_size is said once.
        warnings.filterwarnings("ignore", "suspicious MPI execution", RuntimeWarning)
        MPI.Init_thread(getattr(MPI, f"THREAD_{level}", MPI.THREAD_MULTIPLE))


def all_ranks_end(MPI: Any, comm: Watched) -> None:
    """Leave together; the last call of MPI waits for all ranks too."""
    comm.leave()
    with or_end(comm.dog.timeout):
        MPI.Finalize()
