"""The thread beside a rank that notices when a collective lasts too long, and ends the job.

It wakes now and then.  Where one and the same collective has lasted almost ``timeout`` seconds, it
asks the other ranks whether they are there; who does not answer is missing.  The lowest rank that
asked says so and ends the job.  Threads of ranks that are at work answer too, so a rank that is
late is told from one that stopped.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Final, Protocol, final

import numpy as np

from kavg.base import Communicator
from kavg.mpi.collective import tell
from kavg.mpi.deadline import or_end
from kavg.mpi.watchdog_messages import Word, decoded, who_is_missing

TAG: Final = 1717
"""Of the words between watchdogs; kavg sends no other messages from rank to rank."""

PAUSE: Final = 0.25
"""Seconds from the last words to the end: launchers may drop what they have not passed on yet."""

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
        """Receive the message that is there, or comes."""
        ...

    def Alltoall(self, sendbuf: Any, recvbuf: Any) -> None:
        """Item j of each rank to rank j."""
        ...

    def Abort(self, errorcode: int) -> None:
        """End every rank."""
        ...


@final
class Watchdog:
    """What the rank's own thread writes down, and the thread that reads it.

    ``calls`` is twice the number of collectives that are over, and one more inside of one.
    ``place`` is where the run is, for words: ``"before the first round"``, or the algorithm's name
    and the number of the round.  ``work`` are seconds, if more than ``timeout``, for which a rank
    that answers may keep the others waiting.  ``talks`` says whether MPI may be called from two
    threads at once.
    """

    def __init__(self, comm: World, timeout: float, *, talks: bool) -> None:
        self.comm, self.timeout, self.talks = comm, timeout, talks
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.calls, self.work = 0, 0.0
        self.place: str | tuple[str, int] = "before the first round"
        self.heard: dict[int, Word] = {}
        self.asked: dict[int, float] = {}
        self.sending: list[Any] = []
        self.sent, self.received = np.zeros(self.size, np.int64), 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    @property
    def tick(self) -> float:
        """Seconds from one look to the next; while a rank works, nothing else moves words on."""
        return min(0.1, self.timeout / 40)

    @property
    def window(self) -> float:
        """Seconds given to answers, the first of which must open a connection."""
        return min(10.0, self.timeout / 3)

    @property
    def allowed(self) -> float:
        """Seconds that a collective may last while all ranks answer."""
        return max(self.timeout, self.work)

    @property
    def where(self) -> str:
        """``place`` in words."""
        if isinstance(self.place, str):
            return self.place
        name, n = self.place
        return f"in round {n} of {name}"

    def watch(self) -> None:
        """Look now and then until all is over."""
        seen, since = 0, time.monotonic()
        looked = since
        while not self.over.wait(self.tick):
            asked, calls, now = self.talks and self.listen(), self.calls, time.monotonic()
            if calls != seen:
                seen, since, looked = calls, now, now
            # The answers must be in, and passed on in words, when the time is up.
            patience = self.timeout - self.window - PAUSE if self.talks else self.allowed
            if calls % 2 and (asked or now - looked >= patience - 2 * self.tick):
                self.look_round(calls, since) if self.talks else self.give_up()
                looked = time.monotonic()

    def look_round(self, calls: int, since: float) -> None:
        """Ask all, hear who is there and end the job, unless the collective ends meanwhile.

        It has lasted since ``since``.
        """
        began = time.monotonic()
        self.heard = {self.rank: Word(self.rank, asks=True, waits=True)}
        for rank in range(self.size):
            if rank != self.rank:
                self.send(rank, asks=True)
        self.wait(calls, self.window)
        if any(rank < self.rank and at > began - self.window for rank, at in self.asked.items()):
            self.wait(calls, GRACE)
        if self.calls != calls or self.over.is_set():
            return
        all_there = len(self.heard) == self.size
        if all_there and time.monotonic() - since < self.allowed - 3 * self.tick:
            return
        seconds = self.allowed if all_there else self.timeout
        tell(who_is_missing(self.size, self.heard, seconds, self.where))
        time.sleep(PAUSE)
        # On a host that is cut off nobody hears of it, and it may return, or not.
        with or_end(GRACE, silently=True):
            self.comm.Abort(1)
        os._exit(1)

    def wait(self, calls: int, seconds: float) -> None:
        """Listen for so long, or until the collective is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.calls == calls:
            self.listen()
            if self.over.wait(0.02):
                return

    def listen(self) -> bool:
        """Take in what has come and answer it; was there a question?"""
        asked = False
        while self.comm.Iprobe(tag=TAG):
            word = self.receive()
            self.heard[word.rank] = word
            if word.asks:
                asked = True
                self.asked[word.rank] = time.monotonic()
                self.send(word.rank, asks=False)
        return asked

    def receive(self) -> Word:
        """The word that is there, or comes."""
        numbers = np.empty(3, np.int64)
        self.comm.Recv(numbers, tag=TAG)
        self.received += 1
        return decoded(numbers)

    def send(self, to: int, *, asks: bool) -> None:
        """Tell one rank that this one is here."""
        word = Word(self.rank, asks, waits=self.calls % 2 == 1)
        self.sending = [request for request in self.sending if not request.Test()]
        self.sending.append(self.comm.Isend(word.encoded(), to, TAG))
        self.sent[to] += 1

    def settle(self) -> None:
        """Receive what is still under way: MPI's end takes a message left behind for a fault."""
        due = np.empty_like(self.sent)
        self.comm.Alltoall(self.sent, due)
        while self.received < due.sum():
            self.receive()
        for request in self.sending:
            request.Wait()

    def give_up(self) -> None:
        """End this rank, hence the job, where nobody can be asked; lower ranks may speak first."""
        time.sleep(min(0.3 * self.rank, 2.0))
        tell(
            f"rank {self.rank} of {self.size} has waited {self.allowed:g} s for another rank "
            f"{self.where}; ended"
        )
        time.sleep(PAUSE)
        os._exit(1)
