"""Ranks that must agree before they start, and fail together."""

from __future__ import annotations

import io
import sys

import pytest
from helpers.ranks import CountingComm, run_ranks
from hypothesis import given
from hypothesis import strategies as st

from kavg.engine.agreement import TEXT_BYTES, decode_text, encode_text, group_ranks
from kavg.errors import CollectiveError, KavgError
from kavg.mpi import collective
from kavg.mpi.collective import abort, agree_on, run_on_rank_0

SIZES = pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
ANY_TEXT = st.text(max_size=30)


def faults_of(size, f):
    """What each rank was told; every rank must fail."""

    def caught(comm):
        with pytest.raises(KavgError) as fault:
            f(comm)
        return fault.value

    return run_ranks(size, caught)


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_ranks_are_grouped_by_content(texts):
    everywhere = run_ranks(
        len(texts), lambda comm: group_ranks(comm, encode_text(texts[comm.Get_rank()]))
    )
    for groups in everywhere:
        assert list(groups.values()) == [
            [rank for rank, other in enumerate(texts) if other == text]
            for text in dict.fromkeys(texts)
        ]
        assert decode_text(next(iter(groups))) == texts[0].rstrip("\0")


def test_texts_that_differ_only_beyond_what_is_shown_differ():
    texts = ["x" * TEXT_BYTES + end for end in "ab"]
    groups = run_ranks(2, lambda comm: group_ranks(comm, encode_text(texts[comm.Get_rank()])))[0]
    assert list(groups.values()) == [[0], [1]]
    assert [decode_text(row) for row in groups] == ["x" * TEXT_BYTES] * 2


def test_a_long_text_is_cut_between_characters():
    (groups,) = run_ranks(
        1, lambda comm: group_ranks(comm, encode_text("ä" * TEXT_BYTES + "\udcff"))
    )
    assert decode_text(next(iter(groups))).startswith("ä" * (TEXT_BYTES // 2))


@SIZES
def test_a_value_that_all_ranks_share_is_returned(size):
    assert run_ranks(size, lambda comm: agree_on(comm, "the numbers", lambda: 3, str)) == [3] * size


@SIZES
def test_each_rank_keeps_its_own_object(size):
    kept = run_ranks(size, lambda comm: agree_on(comm, "lists", lambda: [comm], lambda _: "same"))
    assert [own[0].Get_rank() for own in kept] == list(range(size))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_difference_is_reported_on_all_ranks_with_the_ranks_of_each_value(size):
    def differ(comm):
        agree_on(comm, "the settings", lambda: comm.Get_rank() == size - 1, str)

    told = faults_of(size, differ)
    first = "rank 0" if size == 2 else f"ranks {', '.join(map(str, range(size - 1)))}"
    for fault in told:
        assert isinstance(fault, CollectiveError)
        assert str(fault).splitlines() == [
            "the settings differ between ranks:", f"  {first}: False", f"  rank {size - 1}: True",
        ]  # fmt: skip


@SIZES
def test_the_same_error_on_all_ranks_is_raised_unchanged(size):
    def fail():
        raise KavgError("K is missing" + "!" * 2 * TEXT_BYTES)

    for fault in faults_of(size, lambda comm: agree_on(comm, "the settings", fail, str)):
        assert isinstance(fault, CollectiveError)
        assert str(fault) == "K is missing" + "!" * 2 * TEXT_BYTES


@pytest.mark.parametrize("size", [2, 3, 5])
def test_an_error_on_one_rank_is_a_difference(size):
    def load(rank):
        if rank == 1:
            raise KavgError("cannot read the settings")
        return "fine"

    def agree(comm):
        agree_on(comm, "the settings", lambda: load(comm.Get_rank()), str)

    for fault in faults_of(size, agree):
        assert isinstance(fault, CollectiveError)
        assert "\n  rank 1: cannot read the settings" in str(fault)


def test_a_crash_is_not_taken_for_an_error():
    def crash():
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run_ranks(3, lambda comm: agree_on(comm, "the settings", crash, str))


@SIZES
def test_only_rank_0_acts(size):
    acted = []
    run_ranks(size, lambda comm: run_on_rank_0(comm, lambda: acted.append(comm.Get_rank())))
    assert acted == [0]


@SIZES
def test_an_error_on_rank_0_is_raised_on_all(size):
    def refuse():
        raise KavgError("exists already; use --force")

    for fault in faults_of(size, lambda comm: run_on_rank_0(comm, refuse)):
        assert isinstance(fault, CollectiveError)
        assert str(fault) == "exists already; use --force"


@SIZES
def test_agreement_and_rank_0_cost_one_allgather_each(size):
    def count(comm):
        counting = CountingComm(comm)
        agree_on(counting, "nothing", lambda: None, str)
        run_on_rank_0(counting, lambda: None)
        return dict(counting.calls)

    assert run_ranks(size, count) == [{"Allgather": 2}] * size


class World:
    """A world that remembers how it was ended."""

    def __init__(self, rank, size):
        self.rank, self.size, self.codes = rank, size, []

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size

    def Abort(self, code):
        self.codes.append(code)


@pytest.mark.parametrize(
    ("rank", "size", "said", "codes"),
    [(0, 1, "kavg: stop\n", []), (2, 4, "kavg: rank 2 of 4: stop\n", [7])],
)
def test_abort_names_the_rank_and_ends_the_others(monkeypatch, rank, size, said, codes):
    monkeypatch.setattr(collective.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(sys, "__stderr__", real := io.StringIO())
    world = World(rank, size)
    abort(world, "stop", 7)
    assert (real.getvalue(), world.codes) == (said, codes)


def test_no_rank_waits_longer_than_the_five_seconds_allowed(monkeypatch):
    waited = []
    monkeypatch.setattr(collective.time, "sleep", waited.append)
    monkeypatch.setattr(sys, "__stderr__", io.StringIO())
    for rank in (0, 1, 10, 1000):
        abort(World(rank, 1001), "stop", 1)
    assert waited[0] == 0
    assert waited == sorted(waited)
    assert waited[-1] < 4
