"""``simulate`` and ``meta_iterations`` on real ranks, of which one is not as the others."""

import pytest
from helpers.launch import TESTS, run_on_ranks
from mpi import python_on_ranks

import kavg

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(60)]

DIFFER = "raised CollectiveError: ranks must be given the same run, but they differ in   "
OTHERS = "raised CollectiveError: rank 1 failed in round {}: ValueError: of a test; all ranks stop"
OWN = "raised ValueError: of a test"


def on_ranks(case, size=3):
    """What each rank printed; a job that hangs fails."""
    job = run_on_ranks(size, TESTS / "mpi" / "python_on_ranks.py", case, seconds=30)
    assert job.returncode == 0, job.stderr
    lines = dict(line.split(" ", 1) for line in job.stdout.splitlines())
    return [lines[str(rank)] for rank in range(size)]


@pytest.mark.parametrize("case", ["as_told", "tiny_noise", "no_noise"])
def test_ranks_alike_have_the_bits_of_one(case):
    alone = getattr(python_on_ranks, case)(kavg.SerialComm())
    assert on_ranks(case) == [f"returned {alone}"] * 3


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("seeds", "seed: 0 on rank 0; 1 on rank 1; 2 on rank 2"),
        ("take_rounds", "start: array (1, 3) of float64 #"),
    ],
)
def test_ranks_with_different_runs_are_refused_on_every_rank(case, words):
    (line,) = set(on_ranks(case))
    assert line.startswith(DIFFER + words)


@pytest.mark.parametrize(
    ("case", "n"),
    [("measure_fails", 3), ("reader_fails", 3), ("last_reader_fails", 5), ("request_fails", 3)],
)
def test_a_rank_that_fails_ends_all(case, n):
    first, second, third = on_ranks(case)
    assert second == OWN
    assert first == third
    assert first.startswith(OTHERS.format(n))


def test_a_measure_that_is_not_finite_on_one_rank_hangs_none():
    assert on_ranks("measure_is_nan", size=2) == ["returned 0", "returned 2"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("null", "comm is no communicator of this rank"),
        ("freed", "comm is no communicator of this rank"),
        ("between", "comm is an intercommunicator"),
    ],
)
def test_what_ranks_cannot_run_on_is_refused(case, words):
    *first, last = on_ranks(case, size=2)
    assert last.startswith(f"raised KavgError: {words}")
    assert first == [last] or case == "null"
