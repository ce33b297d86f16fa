"""The initialization and finalization of MPI, both of which wait for all ranks.

``MPI`` is the module ``mpi4py.MPI``, loaded by ``comm_world.load_mpi``.
"""

from __future__ import annotations

import os
import signal
import warnings
from types import ModuleType

from kavg.base import Communicator
from kavg.mpi.deadline import exit_after
from kavg.mpi.launchers import Launch, validate_library, validate_world_size
from kavg.mpi.watched_comm import TIMEOUT, WatchedComm


def initialize_mpi(MPI: ModuleType, launch: Launch | None) -> Communicator:
    """Initialize MPI and return ``COMM_WORLD``, watched if it has several ranks.

    Raises ``KavgError`` if the library cannot work with the launcher, or if the world has one rank
    where the launcher started more.
    """
    library = MPI.Get_library_version()
    if not MPI.Is_initialized():
        # Inside MPI_Init MPICH ends a process that another MPI launched, without a message.
        validate_library(library, launch)
        _init_thread(MPI, launch)
    comm = MPI.COMM_WORLD
    validate_world_size(comm.Get_size(), library, launch)
    if comm.Get_size() == 1:
        return comm  # type: ignore[no-any-return]
    watched = WatchedComm(comm, multithreaded=MPI.Query_thread() == MPI.THREAD_MULTIPLE)
    signal.signal(signal.SIGCONT, watched.on_sigcont)
    return watched


def _init_thread(MPI: ModuleType, launch: Launch | None) -> None:
    level = os.environ.get("MPI4PY_RC_THREAD_LEVEL", "multiple").upper()
    # The first rank to exit ends the job, before other ranks print the same.
    later = min(0.3 * (launch.rank if launch else 0), 2.0)
    with exit_after(TIMEOUT + later), warnings.catch_warnings():
        # mpi4py warns of a foreign launcher in every copy; validate_world_size reports it once.
        warnings.filterwarnings("ignore", "suspicious MPI execution", RuntimeWarning)
        MPI.Init_thread(getattr(MPI, f"THREAD_{level}", MPI.THREAD_MULTIPLE))


def finalize_mpi(MPI: ModuleType, comm: WatchedComm) -> None:
    """Stop watching and finalize MPI.

    Collective: ``MPI_Finalize`` waits for all ranks and holds the interpreter's lock, so its time
    limit is the operating system's (``exit_after``).
    """
    comm.close()
    with exit_after(comm.watchdog.timeout):
        MPI.Finalize()
