"""The communicator of this process: MPI's ``COMM_WORLD`` under a launcher, else one rank alone.

No other module imports mpi4py.
"""

from __future__ import annotations

import sys
from types import ModuleType

from kavg.base import Communicator
from kavg.engine.communicator import SerialComm
from kavg.mpi.launchers import detect_launch, missing_library_error
from kavg.mpi.startup import initialize_mpi


def join_world() -> Communicator:
    """Return the communicator of all ranks; initialize MPI if a launcher started this process.

    Without a launcher it is a ``SerialComm``, and MPI is not loaded.  A ``COMM_WORLD`` of several
    ranks is a ``WatchedComm``.  Raises ``KavgError`` if the MPI library is missing, or cannot work
    with the launcher.
    """
    launch = detect_launch()
    if launch is None and "mpi4py.MPI" not in sys.modules:
        return SerialComm()
    return initialize_mpi(load_mpi(), launch)


def load_mpi() -> ModuleType:
    """Import ``mpi4py.MPI`` without initializing MPI; raise KavgError if there is no library.

    Some libraries end a process inside ``MPI_Init``, so their name is needed before.
    """
    try:
        import mpi4py

        if "mpi4py.MPI" not in sys.modules:
            # finalize=True: a rank that ends by an exception still finalizes MPI.
            mpi4py.rc(initialize=False, finalize=True)
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise missing_library_error(str(error), detect_launch()) from None
    return MPI


def mpi_library_text() -> str:
    """Return the text of ``MPI_Get_library_version``, several lines for some libraries.

    Loads the library but does not initialize MPI.  Raises ``KavgError`` if there is no library.
    """
    return str(load_mpi().Get_library_version())


def mpi_version() -> str | None:
    """Return the first line of ``mpi_library_text``, or None if MPI is not loaded.

    It is recorded with each run (environment.json).
    """
    if "mpi4py.MPI" not in sys.modules:
        return None
    return mpi_library_text().strip("\0\n").split("\n")[0]
