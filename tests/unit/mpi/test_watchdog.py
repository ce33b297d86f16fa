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
from kavg.mpi import collective as ranks_module
from kavg.mpi import startup as starting
from kavg.mpi import watchdog
from kavg.mpi import watched_comm as watched
from kavg.mpi.collective import abort
from kavg.mpi.watchdog import Watchdog
from kavg.mpi.watchdog_messages import Word, decoded, who_is_missing
from kavg.mpi.watched_comm import TIMEOUT, Watched, note, wait_at_most


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_a_word_arrives_as_it_was_sent(rank, asks, waits):
    word = Word(rank, asks, waits)
    assert decoded(word.encoded()) == word


@given(st.data(), st.integers(2, 8))
def test_everyone_who_keeps_the_others_waiting_is_named(data, size):
    states = st.lists(st.sampled_from(["waits", "works", "silent"]), min_size=size, max_size=size)
    state = data.draw(states)
    heard = {
        rank: Word(rank, asks=False, waits=how == "waits")
        for rank, how in enumerate(state)
        if how != "silent"
    }
    said = who_is_missing(size, heard, 20, "in round 3 of A")
    clauses = {
        "no word from {} for 20 s in round 3 of A": "silent",
        "{} still at work while others have waited 20 s in round 3 of A": "works",
    }
    for words, how in clauses.items():
        ranks = [rank for rank in range(size) if state[rank] == how]
        plural = "s" if len(ranks) > 1 else ""
        named = f"rank{plural} {', '.join(map(str, ranks))}"
        assert (words.format(named) in said) == bool(ranks)
    assert ("all ranks have waited 20 s" in said) == (set(state) == {"waits"})
    assert said.endswith("; ended")


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
    monkeypatch.setattr(watchdog, "tell", words.append)
    monkeypatch.setattr(watchdog.os, "_exit", lambda code: None)
    return words


def waiting(post, rank, timeout=0.4, place=("A", 17)):
    """A watchdog whose rank is inside its first collective; nothing runs by itself."""
    dog = Watchdog(post.rank(rank), timeout, talks=True)
    dog.calls, dog.place = 1, place
    return dog


def test_the_missing_rank_is_named_with_the_round_by_the_rank_that_waits(said):
    post = Post(2)
    waiting(post, 0).look_round(1, since=0.0)
    assert said == ["no word from rank 1 for 0.4 s in round 17 of A; ended"]
    assert post.codes == [(0, 1)]


def test_last_words_are_given_time(said, monkeypatch):
    """Launchers drop what they have not passed on when a rank ends the job."""
    post, slept = Post(2), []
    dog = waiting(post, 0)
    dog.wait = lambda calls, seconds: None
    monkeypatch.setattr(
        watchdog.time, "sleep", lambda s: slept.append((s, len(said), post.codes[:]))
    )
    dog.look_round(1, since=0.0)
    dog.give_up()
    assert slept[0] == (watchdog.PAUSE, 1, [])
    assert slept[-1] == (watchdog.PAUSE, 2, [(0, 1)])


def test_a_rank_at_work_answers_and_is_told_from_one_that_stopped(said):
    post = Post(3)
    worker = waiting(post, 2)
    worker.calls = 2
    dog = waiting(post, 0)
    dog.wait = lambda calls, seconds: (worker.listen(), dog.listen())
    dog.look_round(1, since=0.0)
    assert said == [
        "no word from rank 1 for 0.4 s in round 17 of A; rank 2 still at work while others have "
        "waited 0.4 s in round 17 of A (a larger 'timeout' in the settings waits longer); ended"
    ]


def test_a_collective_that_ends_while_ranks_are_asked_ends_nothing(said):
    post = Post(2)
    dog = waiting(post, 0)

    def goes_on(calls, seconds):
        dog.calls = 2

    dog.wait = goes_on
    dog.look_round(1, since=0.0)
    assert (said, post.codes) == ([], [])


@pytest.mark.parametrize(("work", "ends"), [(0.0, True), (1e9, False)])
def test_a_rank_at_work_may_be_allowed_more_time(said, work, ends):
    post = Post(2)
    worker, dog = waiting(post, 0), waiting(post, 1)
    worker.calls, dog.work = 2, work
    dog.wait = lambda calls, seconds: (worker.listen(), dog.listen())
    dog.look_round(1, since=0.0)
    assert bool(said) == bool(post.codes) == ends


def test_more_time_for_work_is_no_more_time_for_a_rank_that_stopped(said):
    dog = waiting(Post(2), 1)
    dog.work = 1e9
    dog.look_round(1, since=0.0)
    assert said == ["no word from rank 0 for 0.4 s in round 17 of A; ended"]


def test_the_lower_of_two_that_ask_speaks_first(said):
    post = Post(3)
    low, high = waiting(post, 0), waiting(post, 1)
    waits = []

    def meanwhile(calls, seconds):
        waits.append(seconds)
        high.listen()
        if len(waits) == 1:
            low.look_round(1, since=0.0)
        high.listen()

    high.wait = meanwhile
    low.wait = lambda calls, seconds: (high.listen(), low.listen())
    high.look_round(1, since=0.0)
    assert post.codes[0] == (0, 1)
    # In the real world the job is over by now; if it is not, the higher rank ends it.
    assert waits == [high.window, watchdog.GRACE]


def run_watched(size, act, timeout):
    """``act(watched)`` on each rank; the thread of each runs by itself."""
    post = Post(size)

    def rank(comm: ThreadComm):
        mail = post.rank(comm.Get_rank())
        mail.Allreduce, mail.Allgather = comm.Allreduce, comm.Allgather
        mail.Alltoall = lambda out, into: into.__setitem__(
            ..., [row[comm.Get_rank()] for row in comm.gather(out)]
        )
        watched = Watched(mail, timeout)
        result = act(watched)
        watched.leave()
        assert not watched.dog.thread.is_alive()
        return result

    return run_ranks(size, rank), post


@pytest.mark.parametrize("size", [2, 3, 5])
def test_watched_collectives_are_those_of_the_communicator(said, size):
    def act(watched):
        total, everyone = np.empty(3), np.empty((size, 1))
        for _ in range(20):
            watched.Allreduce(np.full(3, watched.Get_rank()), total)
            watched.Allgather(np.array([float(watched.Get_rank())]), everyone)
        assert watched.dog.calls == 80
        return total.tolist(), everyone.ravel().tolist(), watched.Get_size()

    found, post = run_watched(size, act, TIMEOUT)
    assert found == [([size * (size - 1) / 2] * 3, list(range(size)), size)] * size
    assert (said, post.codes) == ([], [])


def test_letters_that_nobody_read_are_read_before_the_end(said):
    """A rank that comes late, when it was asked for already, leaves no letter behind."""
    late = threading.Event()

    def act(watched):
        dog = watched.dog
        if watched.Get_rank() == 1:
            late.wait(20)
            return
        for to in (1, 2):
            dog.send(to, asks=False) if to != dog.rank else None
        late.set()

    _, post = run_watched(3, act, TIMEOUT)
    assert [len(box) for box in post.boxes] == [0, 0, 0]


def test_a_collective_that_fails_is_over():
    class Broken(PostComm):
        def Allreduce(self, sendbuf, recvbuf):
            raise KeyboardInterrupt

    watched = Watched(Broken(Post(2), 0))
    with pytest.raises(KeyboardInterrupt):
        watched.Allreduce(None, None)
    assert watched.dog.calls % 2 == 0
    watched.dog.over.set()


def test_only_a_watched_communicator_takes_notes():
    comm = SerialComm()
    note(comm, ("A", 1))
    wait_at_most(comm, 3.0)
    assert not vars(comm)
    watched = Watched(PostComm(Post(2), 0))
    watched.dog.over.set()
    note(watched, ("A", 1), work=7.0)
    wait_at_most(watched, 3.0)
    dog = watched.dog
    assert (dog.where, dog.work, dog.timeout) == ("in round 1 of A", 7.0, 3.0)
    note(watched, "at the end")
    assert (dog.where, dog.work) == ("at the end", 0.0)


def test_where_ranks_cannot_be_asked_each_ends_itself(said, monkeypatch):
    left = []
    monkeypatch.setattr(watchdog.os, "_exit", left.append)
    monkeypatch.setattr(watchdog.time, "sleep", lambda seconds: None)
    dog = Watchdog(PostComm(Post(3), 2), 20.0, talks=False)
    dog.place = ("A", 17)
    dog.give_up()
    assert said == ["rank 2 of 3 has waited 20 s for another rank in round 17 of A; ended"]
    assert left == [1]


def test_a_rank_that_ends_all_warns_them_and_does_not_go_on_where_mpi_returns(monkeypatch):
    """It would meet the others in a collective that is not theirs."""
    codes = []
    monkeypatch.setattr(watched.os, "_exit", codes.append)
    post = Post(2)
    first, second = (watched.Watched(post.rank(rank), talks=False) for rank in range(2))
    assert not first.is_ending()
    second.Abort(3)
    assert (codes, post.codes) == ([3], [(1, 3)])
    assert first.is_ending()
    assert not second.is_ending()
    for comm in (first, second):
        comm.dog.over.set()


def test_a_rank_that_was_woken_to_be_ended_says_nothing(monkeypatch):
    """Open MPI sends SIGCONT and SIGTERM to all when one ends all."""
    said, now = [], [100.0]
    monkeypatch.setattr(ranks_module, "tell", said.append)
    monkeypatch.setattr(watched.os, "_exit", lambda code: None)
    monkeypatch.setattr(watched.time, "sleep", lambda seconds: None)
    comm = Watched(Post(2).rank(0), talks=False)
    comm.dog.over.set()
    comm.dog.thread.join()
    monkeypatch.setattr(watched.time, "monotonic", lambda: now[0])
    comm.wake(signal.SIGCONT, None)
    now[0] += 0.5
    abort(comm, "ended by SIGTERM", 143)
    assert said == []
    now[0] += 1.0
    abort(comm, "a fault long after", 1)
    assert said == ["rank 0 of 2: a fault long after"]


def test_a_rank_hears_that_it_is_woken():
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
        comm = starting.all_ranks_begin(MPI, None)
        comm.dog.over.set()
        comm.dog.thread.join()
        assert not comm.is_ending()
        signal.raise_signal(signal.SIGCONT)
        assert comm.is_ending()
    finally:
        signal.signal(signal.SIGCONT, before)


def test_a_rank_that_another_ends_says_nothing(monkeypatch):
    """Its launcher may send it SIGTERM meanwhile."""
    monkeypatch.setattr(watched.os, "_exit", lambda code: None)
    post = Post(2)
    first, second = (watched.Watched(post.rank(rank), talks=False) for rank in range(2))
    said = []
    monkeypatch.setattr(ranks_module, "tell", said.append)
    abort(second, "a fault", 1)
    abort(first, "ended by SIGTERM", 143)
    assert said == ["rank 1 of 2: a fault"]
    for comm in (first, second):
        comm.dog.over.set()
