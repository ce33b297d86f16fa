"""The ranks of this process: MPI's world where a launcher started it, else a world of one.

Only here is mpi4py known.
"""

from __future__ import annotations

import sys
from typing import Any

from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError
from kavg.mpi.launchers import detect_launch, missing_library_error
from kavg.mpi.startup import all_ranks_begin


def world() -> Any:
    """MPI's world if a launcher started this process, else a world of one."""
    launch = detect_launch()
    if launch is None and "mpi4py.MPI" not in sys.modules:
        return SerialComm()
    return all_ranks_begin(loaded_mpi(), launch)


def loaded_mpi() -> Any:
    """``mpi4py.MPI``, loaded but not begun: some libraries end a process that begins wrongly."""
    try:
        import mpi4py

        if "mpi4py.MPI" not in sys.modules:
            mpi4py.rc(initialize=False, finalize=True)
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise missing_library_error(str(error), detect_launch()) from None
    return MPI


def misled(comm: Any) -> str:
    """Why this process, though a launcher started it, is no rank of a world; empty if it is."""
    try:
        if isinstance(comm, SerialComm):
            world()
    except KavgError as fault:
        return str(fault)
    return ""


def mpi_words() -> str:
    """What the MPI library says of itself; a ``KavgError`` if none can be loaded."""
    return str(loaded_mpi().Get_library_version())


def mpi_version() -> str | None:
    """The MPI library in use."""
    loaded = "mpi4py.MPI" in sys.modules
    return mpi_words().strip("\0\n").split("\n")[0] if loaded else None
