"""Every communicator answers the same calls alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.ranks import CountingComm, run_ranks
from hypothesis import given
from hypothesis import strategies as st

from kavg.engine.communicator import SerialComm, assign_learners

World = Callable[[Callable[[Any], Any]], list[Any]]


def alone_under_mpi(f: Callable[[Any], Any]) -> list[Any]:
    MPI = pytest.importorskip("mpi4py.MPI", exc_type=ImportError)
    return [f(MPI.COMM_SELF)]


def threads(size: int) -> World:
    return lambda f: run_ranks(size, f)


WORLDS: dict[str, World] = {
    "serial": lambda f: [f(SerialComm())],
    "counting": lambda f: [f(CountingComm(SerialComm()))],
    "counting threads": lambda f: run_ranks(3, lambda comm: f(CountingComm(comm))),
    "MPI.COMM_SELF": alone_under_mpi,
    **{f"{size} threads": threads(size) for size in range(1, 6)},
}


def part(rank: int, shape: tuple[int, ...]) -> Any:
    return (rank + 1.0) * np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


@pytest.mark.parametrize("name", WORLDS)
def test_ranks_are_numbered(name: str) -> None:
    numbers = WORLDS[name](lambda comm: (comm.Get_rank(), comm.Get_size()))
    assert numbers == [(rank, len(numbers)) for rank in range(len(numbers))]


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("shape", [(1,), (4, 3), (2, 3, 5)])
def test_allreduce_adds_up_to_every_rank(name: str, shape: tuple[int, ...]) -> None:
    def total(comm: Any) -> Any:
        mine, received = part(comm.Get_rank(), shape), np.full(shape, np.nan)
        comm.Allreduce(mine, received)
        np.testing.assert_array_equal(mine, part(comm.Get_rank(), shape))
        mine[...] = -1.0
        return received

    totals = WORLDS[name](total)
    expected = sum(part(rank, shape) for rank in range(len(totals)))
    for received in totals:
        np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("name", WORLDS)
def test_allgather_lines_up_the_ranks(name: str) -> None:
    def gathered(comm: Any) -> Any:
        received = np.full((comm.Get_size(), 3), np.nan)
        comm.Allgather(part(comm.Get_rank(), (3,)), received)
        return received

    answers = WORLDS[name](gathered)
    expected = [part(rank, (3,)) for rank in range(len(answers))]
    for received in answers:
        np.testing.assert_array_equal(received, expected)


def test_calls_are_counted() -> None:
    comm = CountingComm(SerialComm())
    for _ in range(3):
        comm.Allreduce(np.ones(1), np.empty(1))
    comm.Allgather(np.ones(1), np.empty((1, 1)))
    assert dict(comm.calls) == {"Allreduce": 3, "Allgather": 1}


def test_a_rank_that_fails_does_not_hang_the_others() -> None:
    def fail(comm: Any) -> None:
        if comm.Get_rank() == 1:
            raise RuntimeError("rank 1")
        comm.Allreduce(np.ones(1), np.empty(1))

    with pytest.raises(RuntimeError, match="rank 1"):
        run_ranks(3, fail)


@given(st.integers(0, 2000), st.integers(1, 64))
def test_blocks_are_a_partition(P: int, size: int) -> None:
    blocks = [assign_learners(P, size, rank) for rank in range(size)]
    assert [j for learners in blocks for j in learners] == list(range(P))
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1
    assert sorted(map(len, blocks), reverse=True) == list(map(len, blocks))
