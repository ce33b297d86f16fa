"""The calls of a communicator that kavg makes."""

from __future__ import annotations

from typing import Any, Protocol


class Communicator(Protocol):
    """The calls of mpi4py's ``Comm`` that kavg makes; ``kavg.SerialComm`` has them too.

    Buffers are NumPy arrays: mpi4py's calls with a capital letter pickle nothing.  Every rank must
    make the same calls in the same order.
    """

    def Get_rank(self) -> int:
        """Return this rank, from 0."""
        ...

    def Get_size(self) -> int:
        """Return the number of ranks."""
        ...

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write the sum of all ranks' ``sendbuf`` to every rank's ``recvbuf``."""
        ...

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write every rank's ``sendbuf``, in the order of ranks, to every rank's ``recvbuf``."""
        ...
