"""Who is missing, and who says so."""

from __future__ import annotations

import signal
import threading
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.ranks import ThreadComm, run_ranks
from hypothesis import given
from hypothesis import strategies as st

from kavg import SerialComm
from kavg.mpi import collective, startup, watchdog, watched_comm
from kavg.mpi.collective import abort
from kavg.mpi.watchdog import Watchdog
from kavg.mpi.watchdog_messages import ADVICE, RankStatus, decode_status, explain_timeout
from kavg.mpi.watched_comm import TIMEOUT, WatchedComm, set_place, set_timeout


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_a_status_is_decoded_as_it_was_encoded(rank, asks, waits):
    word = RankStatus(rank, asks, waits)
    assert decode_status(word.encode()) == word


@given(st.data(), st.integers(2, 8))
def test_every_rank_that_keeps_the_others_waiting_is_named(data, size):
    states = st.lists(st.sampled_from(["waits", "works", "silent"]), min_size=size, max_size=size)
    state = data.draw(states)
    heard = {
        rank: RankStatus(rank, is_query=False, is_waiting=how == "waits")
        for rank, how in enumerate(state)
        if how != "silent"
    }
    said = explain_timeout(size, heard, 20, "round 3 of A")
    clauses = {
        "{} {} not responded for 20 s": ("silent", "has", "have"),
        "{} {} still computing; the others have waited 20 s": ("works", "is", "are"),
    }
    for words, (how, singular, plural) in clauses.items():
        ranks = [rank for rank in range(size) if state[rank] == how]
        several = len(ranks) > 1
        named = f"rank{'s' if several else ''} {', '.join(map(str, ranks))}"
        assert (words.format(named, plural if several else singular) in said) == bool(ranks)
    assert ("all ranks have waited 20 s" in said) == (set(state) == {"waits"})
    assert ("raise 'timeout'" in said) == ("works" in state)
    assert said.partition(" (round 3 of A); aborting")[2] in ("", "; " + ADVICE)


class Post:
    """A world of ranks whose words are letters in boxes; some ranks never answer."""

    def __init__(self, size):
        self.boxes = [deque() for _ in range(size)]
        self.codes = []

    def rank(self, number):
        return PostComm(self, number)


class PostComm:
    def __init__(self, post, rank):
        self.post, self.number = post, rank

    def Get_rank(self):
        return self.number

    def Get_size(self):
        return len(self.post.boxes)

    def Isend(self, buf, dest, tag):
        self.post.boxes[dest].append(np.array(buf))
        return Sent()

    def Iprobe(self, *, tag):
        return bool(self.post.boxes[self.number])

    def Recv(self, buf, *, tag):
        buf[...] = self.post.boxes[self.number].popleft()

    def Abort(self, code):
        self.post.codes.append((self.number, code))


class Sent:
    def Test(self):
        return True

    def Wait(self):
        pass


@pytest.fixture
def said(monkeypatch):
    """What watchdogs said."""
    words = []
    monkeypatch.setattr(watchdog, "print_error", words.append)
    monkeypatch.setattr(watchdog.os, "_exit", lambda code: None)
    return words


def waiting(post, rank, timeout=0.4, place=("A", 17)):
    """A watchdog whose rank is inside its first collective; nothing runs by itself."""
    dog = Watchdog(post.rank(rank), timeout, multithreaded=True)
    dog.calls, dog.place = 1, place
    return dog


def test_the_missing_rank_is_named_with_the_round_by_the_rank_that_waits(said):
    post = Post(2)
    waiting(post, 0).query_ranks(1, since=0.0)
    assert said == ["rank 1 has not responded for 0.4 s (round 17 of A); aborting"]
    assert post.codes == [(0, 1)]


def test_a_rank_that_aborts_waits_for_its_output(said, monkeypatch):
    """Launchers drop what they have not passed on when a rank ends the job."""
    post, slept = Post(2), []
    dog = waiting(post, 0)
    dog.wait = lambda calls, seconds: None
    monkeypatch.setattr(
        watchdog.time, "sleep", lambda s: slept.append((s, len(said), post.codes[:]))
    )
    dog.query_ranks(1, since=0.0)
    dog.exit_alone()
    assert slept[0] == (watchdog.FLUSH_SECONDS, 1, [])
    assert slept[-1] == (watchdog.FLUSH_SECONDS, 2, [(0, 1)])


def test_a_rank_at_work_answers_and_a_stopped_one_does_not(said):
    post = Post(3)
    worker = waiting(post, 2)
    worker.calls = 2
    dog = waiting(post, 0)
    dog.wait = lambda calls, seconds: (worker.process_messages(), dog.process_messages())
    dog.query_ranks(1, since=0.0)
    assert said == [
        "rank 1 has not responded for 0.4 s; rank 2 is still computing; the others have waited "
        "0.4 s (round 17 of A); aborting; raise 'timeout' in the settings to wait longer"
    ]


def test_a_collective_that_completes_during_a_query_ends_nothing(said):
    post = Post(2)
    dog = waiting(post, 0)

    def goes_on(calls, seconds):
        dog.calls = 2

    dog.wait = goes_on
    dog.query_ranks(1, since=0.0)
    assert (said, post.codes) == ([], [])


@pytest.mark.parametrize(("work", "ends"), [(0.0, True), (1e9, False)])
def test_a_rank_at_work_may_be_allowed_more_time(said, work, ends):
    post = Post(2)
    worker, dog = waiting(post, 0), waiting(post, 1)
    worker.calls, dog.work_limit = 2, work
    dog.wait = lambda calls, seconds: (worker.process_messages(), dog.process_messages())
    dog.query_ranks(1, since=0.0)
    assert bool(said) == bool(post.codes) == ends


def test_more_time_for_work_is_no_more_time_for_a_rank_that_stopped(said):
    dog = waiting(Post(2), 1)
    dog.work_limit = 1e9
    dog.query_ranks(1, since=0.0)
    assert said == ["rank 0 has not responded for 0.4 s (round 17 of A); aborting"]


def test_the_lower_of_two_ranks_that_query_reports(said):
    post = Post(3)
    low, high = waiting(post, 0), waiting(post, 1)
    waits = []

    def meanwhile(calls, seconds):
        waits.append(seconds)
        high.process_messages()
        if len(waits) == 1:
            low.query_ranks(1, since=0.0)
        high.process_messages()

    high.wait = meanwhile
    low.wait = lambda calls, seconds: (high.process_messages(), low.process_messages())
    high.query_ranks(1, since=0.0)
    assert post.codes[0] == (0, 1)
    # In the real world the job is over by now; if it is not, the higher rank ends it.
    assert waits == [high.reply_window, watchdog.GRACE]


def run_watched(size, act, timeout):
    """``act(watched)`` on each rank; the thread of each runs by itself."""
    post = Post(size)

    def rank(comm: ThreadComm):
        mail = post.rank(comm.Get_rank())
        mail.Allreduce, mail.Allgather = comm.Allreduce, comm.Allgather
        mail.Split = comm.Split
        mail.Alltoall = lambda out, into: into.__setitem__(
            ..., [row[comm.Get_rank()] for row in comm.gather(out)]
        )
        watched = WatchedComm(mail, timeout)
        result = act(watched)
        watched.close()
        assert not watched.watchdog.thread.is_alive()
        return result

    return run_ranks(size, rank), post


@pytest.mark.parametrize("size", [2, 3, 5])
def test_watched_collectives_are_those_of_the_communicator(said, size):
    def act(watched):
        total, everyone = np.empty(3), np.empty((size, 1))
        for _ in range(20):
            watched.Allreduce(np.full(3, watched.Get_rank()), total)
            watched.Allgather(np.array([float(watched.Get_rank())]), everyone)
        assert watched.watchdog.calls == 80
        return total.tolist(), everyone.ravel().tolist(), watched.Get_size()

    found, post = run_watched(size, act, TIMEOUT)
    assert found == [([size * (size - 1) / 2] * 3, list(range(size)), size)] * size
    assert (said, post.codes) == ([], [])


def test_collectives_of_a_part_of_the_ranks_are_watched_too(said):
    """Ranks 0 and 1 add up apart from rank 2, and wait for each other where one is late."""

    def act(watched):
        dog, rank = watched.watchdog, watched.Get_rank()
        part = watched.Split(rank // 2, rank)
        assert dog.calls == 2
        total, everyone = np.empty(1), np.empty(part.Get_size())
        part.Allreduce(np.array([1.0 + rank]), total)
        part.Allgather(np.array([1.0 + rank]), everyone)
        assert dog.calls == 6
        place = part.Get_rank()
        part.Free()
        return total.item(), everyone.tolist(), place

    found, post = run_watched(3, act, TIMEOUT)
    assert found == [(3.0, [1.0, 2.0], 0), (3.0, [1.0, 2.0], 1), (3.0, [3.0], 0)]
    assert (said, post.codes) == ([], [])


def test_messages_left_over_are_received_before_the_end(said):
    """A rank that comes late, when it was asked for already, leaves no letter behind."""
    late = threading.Event()

    def act(watched):
        dog = watched.watchdog
        if watched.Get_rank() == 1:
            late.wait(20)
            return
        for to in (1, 2):
            dog.send_status(to, is_query=False) if to != dog.rank else None
        late.set()

    _, post = run_watched(3, act, TIMEOUT)
    assert [len(box) for box in post.boxes] == [0, 0, 0]


def test_a_collective_that_fails_is_over():
    class Broken(PostComm):
        def Allreduce(self, sendbuf, recvbuf):
            raise KeyboardInterrupt

    watched = WatchedComm(Broken(Post(2), 0))
    with pytest.raises(KeyboardInterrupt):
        watched.Allreduce(None, None)
    assert watched.watchdog.calls % 2 == 0
    watched.watchdog.stopped.set()


def test_only_a_watched_communicator_takes_notes():
    comm = SerialComm()
    set_place(comm, ("A", 1))
    set_timeout(comm, 3.0)
    assert not vars(comm)
    watched = WatchedComm(PostComm(Post(2), 0))
    watched.watchdog.stopped.set()
    set_place(watched, ("A", 1), work_limit=7.0)
    set_timeout(watched, 3.0)
    dog = watched.watchdog
    assert (dog.place_text, dog.work_limit, dog.timeout) == ("round 1 of A", 7.0, 3.0)
    set_place(watched, "at the end")
    assert (dog.place_text, dog.work_limit) == ("at the end", 0.0)


def test_ranks_that_cannot_query_each_other_end_alone(said, monkeypatch):
    left = []
    monkeypatch.setattr(watchdog.os, "_exit", left.append)
    monkeypatch.setattr(watchdog.time, "sleep", lambda seconds: None)
    dog = Watchdog(PostComm(Post(3), 2), 20.0, multithreaded=False)
    dog.place = ("A", 17)
    dog.exit_alone()
    assert said == ["rank 2 of 3 has waited 20 s for another rank (round 17 of A); aborting"]
    assert left == [1]


def test_a_rank_that_ends_all_warns_them_and_does_not_go_on_where_mpi_returns(monkeypatch):
    """It would meet the others in a collective that is not theirs."""
    codes = []
    monkeypatch.setattr(watched_comm.os, "_exit", codes.append)
    post = Post(2)
    first, second = (
        watched_comm.WatchedComm(post.rank(rank), multithreaded=False) for rank in range(2)
    )
    assert not first.is_aborting()
    second.Abort(3)
    assert (codes, post.codes) == ([3], [(1, 3)])
    assert first.is_aborting()
    assert not second.is_aborting()
    for comm in (first, second):
        comm.watchdog.stopped.set()


def test_a_rank_woken_to_be_ended_prints_nothing(monkeypatch):
    """Open MPI sends SIGCONT and SIGTERM to all when one ends all."""
    said, now = [], [100.0]
    monkeypatch.setattr(collective, "print_error", said.append)
    monkeypatch.setattr(watched_comm.os, "_exit", lambda code: None)
    monkeypatch.setattr(watched_comm.time, "sleep", lambda seconds: None)
    comm = WatchedComm(Post(2).rank(0), multithreaded=False)
    comm.watchdog.stopped.set()
    comm.watchdog.thread.join()
    monkeypatch.setattr(watched_comm.time, "monotonic", lambda: now[0])
    comm.on_sigcont(signal.SIGCONT, None)
    now[0] += 0.5
    abort(comm, "ended by SIGTERM", 143)
    assert said == []
    now[0] += 1.0
    abort(comm, "a fault long after", 1)
    assert said == ["rank 0 of 2: a fault long after"]


def test_a_rank_notices_that_it_is_woken():
    world = PostComm(Post(2), 0)
    MPI = SimpleNamespace(
        COMM_WORLD=world,
        THREAD_MULTIPLE=3,
        Query_thread=lambda: 3,
        Get_library_version=lambda: "MPI",
        Is_initialized=lambda: True,
    )
    before = signal.getsignal(signal.SIGCONT)
    try:
        comm = startup.initialize_mpi(MPI, None)
        comm.watchdog.stopped.set()
        comm.watchdog.thread.join()
        assert not comm.is_aborting()
        signal.raise_signal(signal.SIGCONT)
        assert comm.is_aborting()
    finally:
        signal.signal(signal.SIGCONT, before)


def test_a_rank_that_another_ends_prints_nothing(monkeypatch):
    """Its launcher may send it SIGTERM meanwhile."""
    monkeypatch.setattr(watched_comm.os, "_exit", lambda code: None)
    post = Post(2)
    first, second = (
        watched_comm.WatchedComm(post.rank(rank), multithreaded=False) for rank in range(2)
    )
    said = []
    monkeypatch.setattr(collective, "print_error", said.append)
    abort(second, "a fault", 1)
    abort(first, "ended by SIGTERM", 143)
    assert said == ["rank 1 of 2: a fault"]
    for comm in (first, second):
        comm.watchdog.stopped.set()
