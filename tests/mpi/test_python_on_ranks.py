"""``simulate`` and ``meta_iterations`` on real ranks, of which one is not as the others."""

import pytest
from helpers.launch import TESTS, run_on_ranks
from mpi import python_on_ranks

import kavg

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

DIFFER = "raised CollectiveError: ranks must be given the same run, but they differ in   "
OTHERS = "raised CollectiveError: rank 1 failed in round {}: ValueError: of a test; all ranks stop"
OWN = "raised ValueError: of a test"


ALIKE = ["as_told", "tiny_noise", "no_noise"]
DIFFERENT = {
    "seeds": "seed: 0 on rank 0; 1 on rank 1; 2 on rank 2",
    "take_rounds": "start: array (1, 3) of float64 #",
}
FAILING = {"measure_fails": 3, "reader_fails": 3, "last_reader_fails": 5, "request_fails": 3}
REFUSED = {
    "null": "comm is no communicator of this rank",
    "freed": "comm is no communicator of this rank",
    "between": "comm is an intercommunicator",
}
CASES = {3: [*DIFFERENT, *FAILING, *ALIKE], 2: [*REFUSED, "measure_is_nan"]}
"""By the number of ranks, which run them one after another: a failure leaves them usable."""


def lines(size):
    """What each rank printed in each case; a job that hangs fails."""
    program = TESTS / "mpi" / "python_on_ranks.py"
    job = run_on_ranks(size, program, *CASES[size], seconds=50)
    assert job.returncode == 0, job.stderr
    split = [line.split(" ", 2) for line in job.stdout.splitlines()]
    return {(case, int(rank)): found for case, rank, found in split}


@pytest.fixture(scope="module")
def on_ranks():
    """``on_ranks("seeds") -> lines``: what each rank printed."""
    printed = {size: lines(size) for size in CASES}
    return lambda case, size=3: [printed[size][case, rank] for rank in range(size)]


@pytest.mark.parametrize("case", ALIKE)
def test_ranks_alike_have_the_bits_of_one(on_ranks, case):
    alone = getattr(python_on_ranks, case)(kavg.SerialComm())
    assert on_ranks(case) == [f"returned {alone}"] * 3


@pytest.mark.parametrize(("case", "words"), DIFFERENT.items())
def test_ranks_with_different_runs_are_refused_on_every_rank(on_ranks, case, words):
    (line,) = set(on_ranks(case))
    assert line.startswith(DIFFER + words)


@pytest.mark.parametrize(("case", "n"), FAILING.items())
def test_a_rank_that_fails_ends_all(on_ranks, case, n):
    first, second, third = on_ranks(case)
    assert second == OWN
    assert first == third
    assert first.startswith(OTHERS.format(n))


def test_a_measure_that_is_not_finite_on_one_rank_hangs_none(on_ranks):
    assert on_ranks("measure_is_nan", size=2) == ["returned 0", "returned 2"]


@pytest.mark.parametrize(("case", "words"), REFUSED.items())
def test_what_ranks_cannot_run_on_is_refused(on_ranks, case, words):
    *first, last = on_ranks(case, size=2)
    assert last.startswith(f"raised KavgError: {words}")
    assert first == [last] or case == "null"
