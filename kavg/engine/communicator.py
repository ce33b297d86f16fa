"""Ranks: the communicator of one process, and which learners a rank owns."""

from __future__ import annotations

from typing import Any, final

import numpy as np


@final
class SerialComm:
    """One rank that answers the calls of mpi4py's ``Comm`` that kavg makes.

    >>> comm = SerialComm()
    >>> total = np.empty(2)
    >>> comm.Allreduce(np.array([1.0, 2.0]), total)
    >>> total
    array([1., 2.])
    """

    def Get_rank(self) -> int:
        """Rank 0."""
        return 0

    def Get_size(self) -> int:
        """One rank."""
        return 1

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """The sum over one rank is that rank's buffer."""
        recvbuf[...] = sendbuf

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """The only buffer there is."""
        np.reshape(recvbuf, np.shape(sendbuf))[...] = sendbuf


def assign_learners(count: int, size: int, rank: int) -> range:
    """The part of ``range(count)`` that ``rank`` of ``size`` owns: contiguous, even within one.

    >>> [assign_learners(7, 3, rank) for rank in range(3)]
    [range(0, 3), range(3, 5), range(5, 7)]
    """
    share, rest = divmod(count, size)
    first = rank * share + min(rank, rest)
    return range(first, first + share + (rank < rest))
