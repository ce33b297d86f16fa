"""A communicator whose collectives cannot last for ever: a rank that stops ends the job."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final, NoReturn, final

import numpy as np

from kavg.base import Communicator
from kavg.mpi.deadline import or_end
from kavg.mpi.watchdog import PAUSE, TAG, Watchdog, World

TIMEOUT: Final = 600.0
"""Seconds to wait where the settings, which may say otherwise, are not read yet or do not apply."""

ENDING: Final = TAG + 1
"""Of the warning to all that a rank is about to end them."""

WAKING: Final = 1.0
"""Seconds within which a rank that goes on after SIGSTOP is ended, if it is to be."""


@final
class Watched:
    """A communicator of several ranks with a ``Watchdog`` beside it.

    In a collective it writes down that it was entered and left, and nothing more.
    """

    def __init__(self, comm: World, timeout: float = TIMEOUT, *, talks: bool = True) -> None:
        self.comm, self.dog = comm, Watchdog(comm, timeout, talks=talks)
        self.dog.thread.start()
        self.woken = -math.inf

    def Get_rank(self) -> int:
        """This rank."""
        return self.dog.rank

    def Get_size(self) -> int:
        """How many ranks."""
        return self.dog.size

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Sum over ranks, to every rank."""
        dog = self.dog
        dog.calls += 1
        try:
            self.comm.Allreduce(sendbuf, recvbuf)
        finally:
            dog.calls += 1

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Every rank's buffer, in rank order, to every rank."""
        dog = self.dog
        dog.calls += 1
        try:
            self.comm.Allgather(sendbuf, recvbuf)
        finally:
            dog.calls += 1

    def Abort(self, errorcode: int) -> NoReturn:
        """End every rank, this one too where MPI returns: it must not meet the others again.

        They are warned, and what was said is given time: a launcher may drop the last words.
        """
        with suppress(Exception):  # a broken network must not keep this rank
            for rank in set(range(self.dog.size)) - {self.dog.rank}:
                self.comm.Isend(np.zeros(1), rank, ENDING)
        time.sleep(PAUSE)
        self.comm.Abort(errorcode)
        os._exit(errorcode)

    def is_ending(self) -> bool:
        """Does another rank end all at the moment, and say why?  Launchers pass on signals then.

        They also wake a rank that was stopped, only to end it; no word from others reached it.
        """
        with suppress(Exception):
            return time.monotonic() - self.woken < WAKING or self.comm.Iprobe(tag=ENDING)
        return False

    def wake(self, _number: int, _frame: FrameType | None) -> None:
        """A handler for SIGCONT."""
        self.woken = time.monotonic()

    def leave(self) -> None:
        """Wait for all ranks once more, still watched, and stop watching: MPI may end then."""
        note(self, "when all was done")
        self.Allgather(np.zeros(1), np.empty(self.dog.size))
        self.dog.over.set()
        self.dog.thread.join()
        with or_end(self.dog.timeout):
            self.dog.settle()


def wait_at_most(comm: Communicator, timeout: float) -> None:
    """Let no collective last longer, if this communicator is watched."""
    if isinstance(comm, Watched):
        comm.dog.timeout = timeout


def note(comm: Communicator, place: str | tuple[str, int], *, work: float = 0.0) -> None:
    """Note where the run is, if this communicator is watched; ``work`` may take so long here."""
    if isinstance(comm, Watched):
        comm.dog.place, comm.dog.work = place, work
