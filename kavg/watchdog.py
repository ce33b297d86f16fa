"""A rank that stops does not leave the others waiting for ever.

``Watched`` is a communicator that counts when a collective is entered and left, and nothing more.
A thread beside it wakes now and then.  Where one and the same collective has lasted almost
``timeout`` seconds, it asks the other ranks whether they are there; who does not answer is missing.
The lowest rank that asked says so and ends the job.

Threads of ranks that are at work answer too, so a rank that is late is told from one that stopped.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, final

import numpy as np

from kavg.base import Communicator
from kavg.missing import Word, decoded, who_is_missing
from kavg.ranks import tell

TIMEOUT: Final = 600.0
"""Seconds to wait before the settings, which may say otherwise, are read."""

TAG: Final = 1717
"""Of the words between watchdogs; kavg sends no other messages from rank to rank."""

GRACE: Final = 3.0
"""Seconds that a lower rank, which asked too, is given to end the job."""


class World(Communicator, Protocol):
    """The calls of mpi4py's ``Comm`` that a watchdog makes, beside the collectives it watches."""

    def Isend(self, buf: Any, dest: int, tag: int) -> Any:
        """Begin to send."""
        ...

    def Iprobe(self, *, tag: int) -> bool:
        """Is there a message, from any rank?"""
        ...

    def Recv(self, buf: Any, *, tag: int) -> None:
        """Receive the message that is there."""
        ...

    def Abort(self, errorcode: int) -> None:
        """End every rank."""
        ...


@final
class Watched:
    """A communicator of several ranks whose collectives cannot last longer than ``timeout``.

    ``talks`` says whether MPI may be called from two threads at once.  ``place`` is where the run
    is, for words: ``"in round 17 of M-AVG"``, or the algorithm's name and the number of the round.
    """

    def __init__(self, comm: World, timeout: float = TIMEOUT, *, talks: bool = True) -> None:
        self.comm, self.timeout, self.talks = comm, timeout, talks
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.place: str | tuple[str, int] = "before the first round"
        self.work = 0.0
        """Seconds, if more than ``timeout``, for which a rank that answers may be at work."""
        self.calls = 0
        """Twice the collectives that are over, and one more inside of one."""
        self.over = threading.Event()
        self.thread = threading.Thread(target=Watchdog(self).watch, daemon=True)
        self.thread.start()

    def Get_rank(self) -> int:
        """This rank."""
        return self.rank

    def Get_size(self) -> int:
        """How many ranks."""
        return self.size

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Sum over ranks, to every rank."""
        self.calls += 1
        try:
            self.comm.Allreduce(sendbuf, recvbuf)
        finally:
            self.calls += 1

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Every rank's buffer, in rank order, to every rank."""
        self.calls += 1
        try:
            self.comm.Allgather(sendbuf, recvbuf)
        finally:
            self.calls += 1

    def Abort(self, errorcode: int) -> None:
        """End every rank."""
        self.comm.Abort(errorcode)

    def leave(self) -> None:
        """Wait for all ranks once more, still watched, and stop watching: MPI may end then."""
        self.place = "when all was done"
        self.Allgather(np.zeros(1), np.empty(self.size))
        self.over.set()
        self.thread.join()

    @property
    def where(self) -> str:
        """``place`` in words."""
        if isinstance(self.place, str):
            return self.place
        name, n = self.place
        return f"in round {n} of {name}"


def wait_at_most(comm: Communicator, timeout: float) -> None:
    """Let no collective last longer, if this communicator is watched."""
    if isinstance(comm, Watched):
        comm.timeout = timeout


def note(comm: Communicator, place: str | tuple[str, int], *, work: float = 0.0) -> None:
    """Note where the run is, if this communicator is watched; ``work`` may take so long here."""
    if isinstance(comm, Watched):
        comm.place, comm.work = place, work


def give_up(watched: Watched) -> None:
    """End this rank, hence the job, where nobody can be asked; lower ranks are given time first."""
    time.sleep(min(0.3 * watched.rank, 2.0))
    tell(
        f"rank {watched.rank} of {watched.size} has waited {watched.timeout:g} s for another rank "
        f"{watched.where}; ended"
    )
    os._exit(1)


@contextmanager
def or_end(seconds: float) -> Iterator[None]:
    """End this process, hence the job, if what is inside lasts longer; its traceback is printed.

    For MPI's own beginning and end, which wait for all ranks and let no other thread run.
    """
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@final
class Watchdog:
    """The thread's side: it alone sends and receives."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.heard: dict[int, Word] = {}
        self.asked: dict[int, float] = {}
        """When each rank asked last."""
        self.sent: list[Any] = []

    @property
    def tick(self) -> float:
        """Seconds from one look to the next."""
        return min(0.25, self.watched.timeout / 20)

    @property
    def window(self) -> float:
        """Seconds given to answers."""
        return min(5.0, self.watched.timeout / 4)

    @property
    def allowed(self) -> float:
        """Seconds that a collective may last while all ranks answer."""
        return max(self.watched.timeout, self.watched.work)

    def watch(self) -> None:
        """Look now and then until all is over."""
        watched, seen, since = self.watched, 0, time.monotonic()
        looked = since
        while not watched.over.wait(self.tick):
            asked, calls, now = watched.talks and self.listen(), watched.calls, time.monotonic()
            if calls != seen:
                seen, since, looked = calls, now, now
            # The answers must be in, and said, when the time is up.
            patience = watched.timeout - self.window if watched.talks else self.allowed
            if calls % 2 and (asked or now - looked >= patience - 2 * self.tick):
                self.look_round(calls, since) if watched.talks else give_up(watched)
                looked = time.monotonic()

    def listen(self) -> bool:
        """Take in what has come and answer it; was there a question?"""
        asked, numbers = False, np.empty(3, np.int64)
        while self.watched.comm.Iprobe(tag=TAG):
            self.watched.comm.Recv(numbers, tag=TAG)
            word = decoded(numbers)
            self.heard[word.rank] = word
            if word.asks:
                asked = True
                self.asked[word.rank] = time.monotonic()
                self.send(word.rank, asks=False)
        return asked

    def send(self, to: int, *, asks: bool) -> None:
        """Tell one rank that this one is here."""
        word = Word(self.watched.rank, asks, waits=self.watched.calls % 2 == 1)
        self.sent = [request for request in self.sent if not request.Test()]
        self.sent.append(self.watched.comm.Isend(word.encoded(), to, TAG))

    def look_round(self, calls: int, since: float) -> None:
        """Ask all, hear who is there and end the job, unless the collective ends meanwhile.

        It has lasted ``since`` then.
        """
        watched, began = self.watched, time.monotonic()
        self.heard = {watched.rank: Word(watched.rank, asks=True, waits=True)}
        for rank in range(watched.size):
            if rank != watched.rank:
                self.send(rank, asks=True)
        self.wait(calls, self.window)
        lower = [rank for rank, at in self.asked.items() if rank < watched.rank]
        if any(self.asked[rank] > began - 2 * self.window for rank in lower):
            self.wait(calls, GRACE)
        if watched.calls != calls or watched.over.is_set():
            return
        all_there = len(self.heard) == watched.size
        if all_there and time.monotonic() - since < self.allowed - 3 * self.tick:
            return
        seconds = self.allowed if all_there else watched.timeout
        tell(who_is_missing(watched.size, self.heard, seconds, watched.where))
        watched.comm.Abort(1)

    def wait(self, calls: int, seconds: float) -> None:
        """Listen for so long, or until the collective is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.watched.calls == calls:
            self.listen()
            if self.watched.over.wait(0.02):
                return
