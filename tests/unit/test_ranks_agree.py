"""Ranks that must agree, on threads that play ranks."""

import pytest
from ranks import run_ranks

from kavg.base import KavgError
from kavg.ranks import abort, is_collective, on_rank_0, spelled, together


def outcome(action):
    """What a rank got: a result, or the words and kind of its fault."""
    try:
        return action()
    except KavgError as fault:
        return str(fault), is_collective(fault)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_together_gives_each_rank_its_own_result(size):
    def mine(comm):
        return together(comm, "the settings", lambda: [comm.Get_rank()], lambda _: "same")

    assert run_ranks(size, mine) == [[rank] for rank in range(size)]


@pytest.mark.parametrize("size", [2, 5])
def test_together_says_who_has_what(size):
    def mine(comm):
        name = "theirs" if comm.Get_rank() == 1 else "ours"
        return outcome(lambda: together(comm, "the settings", lambda: name, str))

    others = spelled([rank for rank in range(size) if rank != 1])
    said = f"the settings differ between ranks:\n  {others}: ours\n  rank 1: theirs"
    assert run_ranks(size, mine) == [(said, True)] * size


def test_a_fault_of_one_rank_is_raised_on_all():
    def mine(comm):
        def action():
            if comm.Get_rank() == 2:
                raise KavgError("no such file")
            return "fine"

        return outcome(lambda: together(comm, "the settings", action, str))

    for said, collective in run_ranks(3, mine):
        assert collective
        assert "rank 2: no such file" in said


def test_a_fault_of_all_ranks_is_theirs_unchanged():
    def mine(comm):
        def action():
            raise KavgError("no such file")

        return outcome(lambda: together(comm, "the settings", action, str))

    assert run_ranks(3, mine) == [("no such file", True)] * 3


def test_texts_that_begin_alike_still_differ():
    def mine(comm):
        name = "x" * 10_000 + str(comm.Get_rank())
        return outcome(lambda: together(comm, "the settings", lambda: name, str))

    assert all("differ" in said for said, _ in run_ranks(2, mine))


def test_only_rank_0_acts():
    acted = []

    def mine(comm):
        on_rank_0(comm, lambda: acted.append(comm.Get_rank()))

    run_ranks(4, mine)
    assert acted == [0]


def test_a_fault_of_rank_0_is_raised_on_all():
    def mine(comm):
        def action():
            raise KavgError("exists already")

        return outcome(lambda: on_rank_0(comm, action))

    assert run_ranks(3, mine) == [("exists already", True)] * 3


class AbortingComm:
    def __init__(self, rank, size):
        self.rank, self.size, self.code = rank, size, None

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size

    def Abort(self, code):
        self.code = code


@pytest.mark.parametrize(("size", "ended"), [(1, None), (3, 7)])
def test_abort_names_the_rank_and_ends_the_others(monkeypatch, capsys, size, ended):
    import sys

    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    comm = AbortingComm(size - 1, size)
    abort(comm, "a fault", 7)
    said = capsys.readouterr().err
    assert said == ("kavg: a fault\n" if size == 1 else "kavg: rank 2 of 3: a fault\n")
    assert comm.code == ended
