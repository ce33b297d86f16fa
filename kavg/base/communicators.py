"""The calls of a communicator that kavg makes."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


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


@runtime_checkable
class CanSplit(Communicator, Protocol):
    """A communicator that can be split, which groups of learners on several ranks need."""

    def Split(self, color: int, key: int) -> Communicator:
        """Return the communicator of the ranks that pass this ``color``, in the order of keys.

        Collective: every rank calls it.
        """
        ...
