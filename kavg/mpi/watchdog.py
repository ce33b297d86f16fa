"""A thread beside each rank that aborts the job when a collective lasts too long.

It wakes ten times a second.  When one collective has lasted almost ``timeout`` seconds, it queries
the other ranks.  The lowest waiting rank reports those that did not reply and aborts the job.  The
threads of computing ranks reply too, which distinguishes a slow rank from a stopped one.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Final, NoReturn, Protocol, final

import numpy as np

from kavg.base import CanSplit
from kavg.mpi.collective import print_error
from kavg.mpi.deadline import exit_after
from kavg.mpi.watchdog_messages import RankStatus, decode_status, explain_timeout

TAG: Final = 1717
"""The tag of messages between watchdogs; kavg sends no other messages from rank to rank."""

FLUSH_SECONDS: Final = 0.25
"""Time between a message and the exit: launchers may drop output not yet forwarded."""

GRACE: Final = 3.0
"""Seconds that a lower rank, which sent a query too, is given to abort the job."""


class MpiComm(CanSplit, Protocol):
    """The calls of mpi4py's ``Comm`` that a watchdog makes, beside the collectives it watches.

    All are point to point, except ``Split``, ``Alltoall`` at the end and ``Abort``.
    """

    def Isend(self, buf: Any, dest: int, tag: int) -> Any:
        """Start sending a message; return its request."""
        ...

    def Iprobe(self, *, tag: int) -> bool:
        """Return True if a message from any rank is waiting."""
        ...

    def Recv(self, buf: Any, *, tag: int) -> None:
        """Receive the message that is waiting, or the next one."""
        ...

    def Alltoall(self, sendbuf: Any, recvbuf: Any) -> None:
        """Send item j of each rank to rank j."""
        ...

    def Abort(self, errorcode: int) -> Any:
        """End every rank."""
        ...


@final
class Watchdog:
    """The progress that a rank's main thread records, and the thread that monitors it.

    ``calls`` is twice the number of completed collectives, and one more inside a collective.
    ``place`` is where the run is, for messages: a text such as ``"before the first round"``, or
    the algorithm's name and the number of the round.  ``work_limit`` is the time in seconds, if
    more than ``timeout``, for which a rank that replies may keep the others waiting.
    ``multithreaded`` is True if two threads may call MPI at once.
    """

    def __init__(self, comm: MpiComm, timeout: float, *, multithreaded: bool) -> None:
        self.comm, self.timeout, self.multithreaded = comm, timeout, multithreaded
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.calls, self.work_limit = 0, 0.0
        self.place: str | tuple[str, int] = "before the first round"
        self.replies: dict[int, RankStatus] = {}
        self.queried_at: dict[int, float] = {}
        self.pending_sends: list[Any] = []
        self.sent, self.received = np.zeros(self.size, np.int64), 0
        self.stopped = threading.Event()
        # A daemon, as a rank that ends by an exception must not wait for its watchdog.
        self.thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def tick(self) -> float:
        """Seconds between two polls.

        While a rank computes, its messages make progress only during these polls.
        """
        return min(0.1, self.timeout / 40)

    @property
    def reply_window(self) -> float:
        """Seconds that queried ranks have to reply.

        The first reply has to open a connection, which takes several polls of both threads.
        """
        return min(10.0, self.timeout / 3)

    @property
    def limit(self) -> float:
        """Seconds that a collective may last while all ranks reply."""
        return max(self.timeout, self.work_limit)

    @property
    def place_text(self) -> str:
        """``place`` as text: ``"round 17 of M-AVG"``."""
        if isinstance(self.place, str):
            return self.place
        name, n = self.place
        return f"round {n} of {name}"

    def _watch(self) -> None:
        calls_seen, since = 0, time.monotonic()
        last_query = since
        while not self.stopped.wait(self.tick):
            queried = self.multithreaded and self.process_messages()
            # Read once and without a lock: only the rank's own thread writes it.
            calls, now = self.calls, time.monotonic()
            if calls != calls_seen:
                calls_seen, since, last_query = calls, now, now
            # Replies must have arrived, and the message be printed, before ``timeout`` is over.
            before_query = self.timeout - self.reply_window - FLUSH_SECONDS
            patience = before_query if self.multithreaded else self.limit
            if calls % 2 and (queried or now - last_query >= patience - 2 * self.tick):
                if not self.multithreaded:
                    self.exit_alone()
                self.query_ranks(calls, since)
                last_query = time.monotonic()

    def query_ranks(self, calls: int, since: float) -> None:
        """Query all ranks and abort the job, unless the collective completes meanwhile.

        ``calls`` identifies the collective, which has lasted since ``since``.
        """
        began = time.monotonic()
        self.replies = {self.rank: RankStatus(self.rank, is_query=True, is_waiting=True)}
        for rank in range(self.size):
            if rank != self.rank:
                self.send_status(rank, is_query=True)
        self.wait(calls, self.reply_window)
        # An election would cost time: every waiting rank queries, and the lowest reports.
        recently = began - self.reply_window
        if any(rank < self.rank and at > recently for rank, at in self.queried_at.items()):
            self.wait(calls, GRACE)
        if self.calls != calls or self.stopped.is_set():
            return
        all_replied = len(self.replies) == self.size
        if all_replied and time.monotonic() - since < self.limit - 3 * self.tick:
            return
        seconds = self.limit if all_replied else self.timeout
        print_error(explain_timeout(self.size, self.replies, seconds, self.place_text))
        time.sleep(FLUSH_SECONDS)
        # Without a network Abort reaches no other rank and may never return.
        with exit_after(GRACE, silently=True):
            self.comm.Abort(1)
        os._exit(1)

    def wait(self, calls: int, seconds: float) -> None:
        """Process messages for some seconds, or until the collective completes.

        ``calls`` identifies the collective.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.calls == calls:
            self.process_messages()
            if self.stopped.wait(0.02):
                return

    def process_messages(self) -> bool:
        """Receive the waiting messages, enter them in ``replies``, and reply to queries.

        Returns True if there was a query, which means that another rank has waited too long.
        """
        queried = False
        while self.comm.Iprobe(tag=TAG):
            status = self._receive_status()
            self.replies[status.rank] = status
            if status.is_query:
                queried = True
                self.queried_at[status.rank] = time.monotonic()
                self.send_status(status.rank, is_query=False)
        return queried

    def _receive_status(self) -> RankStatus:
        numbers = np.empty(3, np.int64)
        self.comm.Recv(numbers, tag=TAG)
        self.received += 1
        return decode_status(numbers)

    def send_status(self, to: int, *, is_query: bool) -> None:
        """Send this rank's status to another rank, as a query or as a reply."""
        status = RankStatus(self.rank, is_query, is_waiting=self.calls % 2 == 1)
        self.pending_sends = [send for send in self.pending_sends if not send.Test()]
        self.pending_sends.append(self.comm.Isend(status.encode(), to, TAG))
        self.sent[to] += 1

    def drain_messages(self) -> None:
        """Receive all messages still under way: ``MPI_Finalize`` must find none.

        Collective: each rank learns by one ``Alltoall`` how many were sent to it.
        """
        due = np.empty_like(self.sent)
        self.comm.Alltoall(self.sent, due)
        while self.received < due.sum():
            self._receive_status()
        for request in self.pending_sends:
            request.Wait()

    def exit_alone(self) -> NoReturn:
        """End this rank, hence the job, if MPI allows one thread only, hence no queries.

        Higher ranks wait longer, so that a launcher has one message to forward.
        """
        time.sleep(min(0.3 * self.rank, 2.0))
        print_error(
            f"rank {self.rank} of {self.size} has waited {self.limit:g} s for another rank "
            f"({self.place_text}); aborting"
        )
        time.sleep(FLUSH_SECONDS)
        os._exit(1)
