"""Communicators for tests: any number of ranks on threads, and one that counts its calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np


class ThreadComm:
    """One rank of a world of threads that add up in the order of ranks."""

    def __init__(
        self,
        rank: int,
        slots: list[Any],
        barrier: threading.Barrier,
        barriers: list[threading.Barrier],
    ) -> None:
        self.rank, self.slots, self.barrier = rank, slots, barrier
        self.barriers = barriers
        """Those of all communicators of the world, which end together."""

    def Get_rank(self) -> int:
        return self.rank

    def Get_size(self) -> int:
        return len(self.slots)

    def gather(self, sendbuf: Any) -> list[Any]:
        return self.exchange(np.array(sendbuf))

    def exchange(self, part: Any) -> list[Any]:
        self.slots[self.rank] = part
        self.barrier.wait()
        everyone = list(self.slots)
        self.barrier.wait()
        return everyone

    def Split(self, color: int, key: int) -> ThreadComm:
        everyone = self.exchange((color, key))
        members = [rank for rank, (other, _) in enumerate(everyone) if other == color]
        members.sort(key=lambda rank: everyone[rank][1])
        shared = None
        if members[0] == self.rank:
            shared = [None] * len(members), threading.Barrier(len(members), timeout=30)
            self.barriers.append(shared[1])
        slots, barrier = self.exchange(shared)[members[0]]
        return ThreadComm(members.index(self.rank), slots, barrier, self.barriers)

    def Free(self) -> None:
        self.slots = []

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        total = 0
        for part in self.gather(sendbuf):
            total = total + part
        recvbuf[...] = total

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        recvbuf[...] = np.reshape(self.gather(sendbuf), np.shape(recvbuf))


def run_ranks(size: int, f: Callable[[Any], Any]) -> list[Any]:
    """``f(comm)`` on each of ``size`` ranks; a rank that fails fails the call and hangs nobody."""
    barrier, slots = threading.Barrier(size, timeout=30), [None] * size
    barriers = [barrier]

    def rank(number: int) -> Any:
        try:
            return f(ThreadComm(number, slots, barrier, barriers))
        except BaseException:
            for each in barriers:
                each.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        ranks = [pool.submit(rank, number) for number in range(size)]
    failures = [failed for r in ranks if (failed := r.exception()) is not None]
    for failure in failures:
        if not isinstance(failure, threading.BrokenBarrierError):
            raise failure
    return [r.result() for r in ranks]


class CountingComm:
    """Another communicator, with its collective calls counted."""

    def __init__(self, comm: Any) -> None:
        self.comm, self.calls = comm, Counter()

    def Get_rank(self) -> int:
        return self.comm.Get_rank()

    def Get_size(self) -> int:
        return self.comm.Get_size()

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        self.calls["Allreduce"] += 1
        self.comm.Allreduce(sendbuf, recvbuf)

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        self.calls["Allgather"] += 1
        self.comm.Allgather(sendbuf, recvbuf)

    def Split(self, color: int, key: int) -> Any:
        """Calls of a part are its own, and are not counted here."""
        return self.comm.Split(color, key)
