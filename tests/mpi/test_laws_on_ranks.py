"""The laws again on real ranks: one digest in serial and under mpiexec on 1 to 5 and 8."""

from functools import cache

import pytest
from helpers.launch import TESTS, run_on_ranks
from mpi.laws_on_ranks import cases, run

import kavg
from kavg.storage import digest

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@cache
def serial() -> dict[str, str]:
    return {name: digest(run(kavg.SerialComm(), p, a)) for name, p, a in cases()}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
def test_one_digest_on_any_number_of_ranks(size):
    job = run_on_ranks(size, "-m", "mpi4py", TESTS / "mpi" / "laws_on_ranks.py", seconds=100)
    assert job.returncode == 0, job.stderr
    found = dict(line.split(": ") for line in job.stdout.splitlines())
    assert found == serial()
