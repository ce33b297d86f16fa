"""One invocation of ``kavg``: its ranks and their MPI library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kavg.base import Communicator
from kavg.mpi.collective import run_on_rank_0
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


@contextmanager
def hold_on_rank_0(
    session: Session, folder: Path, hold: Callable[[], AbstractContextManager[Path]]
) -> Iterator[Path]:
    """Hold a folder's lock on rank 0 while the block runs; yield the folder that is held.

    The other ranks wait until rank 0 holds it, and get ``folder``, as they write nothing.  Raises
    ``CollectiveError`` on every rank with the message of the ``KavgError`` that ``hold`` raised.
    """
    with ExitStack() as stack:
        held = [folder]
        run_on_rank_0(session.comm, lambda: held.append(stack.enter_context(hold())))
        yield held[-1]
