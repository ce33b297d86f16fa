"""Every method of the field on real ranks: one digest, its collectives, and runs that go on."""

import sys
from functools import cache

import pytest
from helpers.launch import TESTS, run_kavg_on_ranks, run_on_ranks, run_process
from helpers.methods import METHODS
from helpers.run_folder import read_digest, stored_checkpoints
from helpers.settings import write_settings
from mpi.methods_on_ranks import run

import kavg
from kavg.config.kinds import to_plain
from kavg.storage import digest

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(200)]

PROGRAM = TESTS / "mpi" / "methods_on_ranks.py"
STOPPED = ("heavy ball, kept", "EASGD, heavy ball")
"""Learners keep slots; slots and their own iterates."""


@cache
def digests_on(size, *words):
    """The digest of every method, as the ranks of one job found it."""
    job = run_on_ranks(size, "-m", "mpi4py", PROGRAM, *words, seconds=150)
    assert job.returncode == 0, job.stderr
    return dict(line.rsplit(": ", 1) for line in job.stdout.splitlines())


@cache
def digest_alone(name):
    return digest(run(name, kavg.SerialComm()))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_one_digest_on_any_number_of_ranks(name, size):
    assert digests_on(size)[name] == digest_alone(name)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of runs that two ranks stopped early."""
    folder = tmp_path_factory.mktemp("stopped")
    digests_on(2, "--save", folder)
    return folder


@pytest.mark.parametrize("name", METHODS)
def test_a_run_of_two_ranks_goes_on_on_three(name, stopped):
    assert digests_on(3, "--resume", stopped)[name] == digest_alone(name)


@pytest.mark.parametrize("name", STOPPED)
def test_a_checkpoint_of_two_ranks_is_resumed_on_three(name, tmp_path):
    algorithm = to_plain(METHODS[name]) | {"name": name}
    write_settings(
        tmp_path / "my.toml", figures=False, algorithm=[algorithm], checkpoint={"every": 1}
    )
    words = ["run", "my.toml", "-q", "--out"]
    fails = TESTS / "mpi" / "fail_on_rank_1.py"
    # Rank 0 has written a checkpoint before rank 1 can begin the round in which it fails.
    assert run_on_ranks(2, fails, *words, "out", cwd=tmp_path).returncode != 0
    assert stored_checkpoints(tmp_path / "out")
    job = run_kavg_on_ranks(3, "resume", "out", "-q", cwd=tmp_path)
    assert job.returncode == 0, job.stderr
    job = run_process([sys.executable, "-m", "kavg", *words, "whole"], cwd=tmp_path)
    assert job.returncode == 0, job.stderr
    assert read_digest(tmp_path / "out") == read_digest(tmp_path / "whole")
