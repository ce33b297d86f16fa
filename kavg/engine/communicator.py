"""The communicator of a single process, and the division of learners among ranks."""

from __future__ import annotations

from typing import Any, final

import numpy as np


@final
class SerialComm:
    """A communicator of one rank, with the calls of mpi4py's ``Comm`` that kavg makes.

    The default of ``kavg.simulate``; pass ``mpi4py.MPI.COMM_WORLD`` to divide the learners among
    the ranks of an MPI job.

    >>> comm = SerialComm()
    >>> total = np.empty(2)
    >>> comm.Allreduce(np.array([1.0, 2.0]), total)
    >>> total
    array([1., 2.])
    """

    def Get_rank(self) -> int:
        """Return rank 0."""
        return 0

    def Get_size(self) -> int:
        """Return 1, the number of ranks."""
        return 1

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Copy: the sum over one rank is its own buffer."""
        recvbuf[...] = sendbuf

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Copy the only buffer, in whatever shape ``recvbuf`` has."""
        # recvbuf may have an axis of ranks, here of length 1, in front.
        np.reshape(recvbuf, np.shape(sendbuf))[...] = sendbuf


def assign_learners(count: int, size: int, rank: int) -> range:
    """Return the learners of ``range(count)`` that ``rank`` of ``size`` owns.

    They are contiguous, and numbers differ by at most one between ranks.  A rank has none if there
    are more ranks than learners.

    >>> [assign_learners(7, 3, rank) for rank in range(3)]
    [range(0, 3), range(3, 5), range(5, 7)]
    """
    share, rest = divmod(count, size)
    first = rank * share + min(rank, rest)
    return range(first, first + share + (rank < rest))
