"""A communicator whose collectives have a time limit, after which the job is aborted."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final, NoReturn, final

import numpy as np

from kavg.base import Communicator
from kavg.mpi.deadline import exit_after
from kavg.mpi.watchdog import FLUSH_SECONDS, TAG, MpiComm, Watchdog

TIMEOUT: Final = 600.0
"""Time limit in seconds before the settings are read, and where their own does not apply."""

ABORT_TAG: Final = TAG + 1
"""The tag of the warning to all ranks that one of them is about to abort the job."""

RESUME_SECONDS: Final = 1.0
"""A launcher that aborts a job resumes a stopped rank and ends it within this time."""


@final
class WatchedPart:
    """A part of the ranks of a ``WatchedComm``, whose collectives its watchdog counts too."""

    def __init__(self, comm: Any, watchdog: Watchdog) -> None:
        self.comm, self.watchdog = comm, watchdog

    def Get_rank(self) -> int:
        """Return the number of this rank among those of the part."""
        return int(self.comm.Get_rank())

    def Get_size(self) -> int:
        """Return the number of ranks of the part."""
        return int(self.comm.Get_size())

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Sum the buffers of the ranks of the part, on each of them."""
        self.watchdog.calls += 1
        try:
            self.comm.Allreduce(sendbuf, recvbuf)
        finally:
            self.watchdog.calls += 1

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Gather the buffers of the ranks of the part in their order, on each of them."""
        self.watchdog.calls += 1
        try:
            self.comm.Allgather(sendbuf, recvbuf)
        finally:
            self.watchdog.calls += 1

    def Free(self) -> None:
        """Free the communicator; collective."""
        self.comm.Free()


@final
class WatchedComm:
    """A communicator of several ranks with a ``Watchdog`` beside it.

    The main thread only counts entries to and exits from collectives, which takes less than a third
    of a microsecond each.
    """

    def __init__(
        self, comm: MpiComm, timeout: float = TIMEOUT, *, multithreaded: bool = True
    ) -> None:
        self.comm, self.watchdog = comm, Watchdog(comm, timeout, multithreaded=multithreaded)
        self.watchdog.thread.start()
        self.resumed_at = -math.inf

    def Get_rank(self) -> int:
        """Return the number of this rank."""
        return self.watchdog.rank

    def Get_size(self) -> int:
        """Return the number of ranks."""
        return self.watchdog.size

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Sum the buffers of all ranks, on every rank."""
        # No clock is read here, as rounds may take microseconds; the watchdog reads one.
        watchdog = self.watchdog
        watchdog.calls += 1
        try:
            self.comm.Allreduce(sendbuf, recvbuf)
        finally:
            watchdog.calls += 1

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Gather the buffers of all ranks in rank order, on every rank."""
        watchdog = self.watchdog
        watchdog.calls += 1
        try:
            self.comm.Allgather(sendbuf, recvbuf)
        finally:
            watchdog.calls += 1

    def Split(self, color: int, key: int) -> WatchedPart:
        """Return the communicator of the ranks with this ``color``, which is watched too."""
        watchdog = self.watchdog
        watchdog.calls += 1
        try:
            return WatchedPart(self.comm.Split(color, key), watchdog)
        finally:
            watchdog.calls += 1

    def Abort(self, errorcode: int) -> NoReturn:
        """End every rank, and this one even where MPI's ``Abort`` returns.

        The other ranks are warned first, and the launcher has time to forward a message.
        """
        with suppress(Exception):  # a broken network must not keep this rank from aborting
            for rank in set(range(self.watchdog.size)) - {self.watchdog.rank}:
                self.comm.Isend(np.zeros(1), rank, ABORT_TAG)
        time.sleep(FLUSH_SECONDS)
        self.comm.Abort(errorcode)
        # If Abort returned, this rank would enter a collective that the others never reach.
        os._exit(errorcode)

    def is_aborting(self) -> bool:
        """Return True if another rank aborts the job, or this rank was resumed a moment ago.

        Launchers send signals during an abort.  They resume a stopped rank in order to end it, and
        that rank has received no warning.
        """
        with suppress(Exception):
            just_resumed = time.monotonic() - self.resumed_at < RESUME_SECONDS
            return just_resumed or self.comm.Iprobe(tag=ABORT_TAG)
        return False

    def on_sigcont(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGCONT: record when this rank was resumed."""
        self.resumed_at = time.monotonic()

    def close(self) -> None:
        """Wait for all ranks, with the time limit, and stop the watchdog.

        Collective; MPI may be finalized afterwards.
        """
        set_place(self, "at the end of the job")
        self.Allgather(np.zeros(1), np.empty(self.watchdog.size))
        self.watchdog.stopped.set()
        self.watchdog.thread.join()
        with exit_after(self.watchdog.timeout):
            self.watchdog.drain_messages()


def set_timeout(comm: Communicator, timeout: float) -> None:
    """Limit each collective of a watched communicator to ``timeout`` seconds.

    Other communicators, such as ``SerialComm`` or one that a Python user passes, have no limit.
    """
    if isinstance(comm, WatchedComm):
        comm.watchdog.timeout = timeout


def set_place(comm: Communicator, place: str | tuple[str, int], *, work_limit: float = 0.0) -> None:
    """Set where the run is, for the message of a watched communicator after a timeout.

    ``place`` is a text, or the algorithm's name and the number of the round; ``work_limit`` is the
    time in seconds that a rank which still replies may take here, if more than the timeout.
    """
    if isinstance(comm, WatchedComm):
        comm.watchdog.place, comm.watchdog.work_limit = place, work_limit
