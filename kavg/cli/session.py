"""One invocation of ``kavg``: its ranks and their MPI library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kavg.base import Communicator
from kavg.mpi.comm_world import mpi_version


@final
@dataclass(frozen=True)
class Session:
    """One invocation of ``kavg`` on one or several ranks.

    ``launch_error`` is the reason if a launcher started this process but it could not join an MPI
    world; only ``kavg doctor`` continues then.

    >>> from kavg import SerialComm
    >>> Session(SerialComm()).size
    1
    """

    comm: Communicator
    launch_error: str | None = None

    @property
    def rank(self) -> int:
        """The number of this rank, from 0; rank 0 prints and writes."""
        return self.comm.Get_rank()

    @property
    def size(self) -> int:
        """The number of ranks."""
        return self.comm.Get_size()

    @property
    def mpi(self) -> str | None:
        """Name and version of the MPI library in use; None without MPI."""
        return mpi_version()
