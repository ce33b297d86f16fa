"""Sweeps on real ranks: the same digests on 1, 2 and 3 of them, whatever these divide."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from helpers.launch import TESTS, mpiexec, run_kavg, run_kavg_on_ranks
from helpers.run_folder import read_digest, stored_checkpoints
from helpers.settings import k_avg, m_avg
from helpers.sweep import SWEEP, all_digests, read_sweep, write_sweep

SLOW = TESTS / "mpi" / "slow_sweep.py"
pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Settings, and the sweep of one process."""
    folder = tmp_path_factory.mktemp("sweep")
    write_sweep(folder / "my.toml", algorithm=[k_avg(P=5), m_avg(P=2)])
    job = run_kavg("sweep", folder / "my.toml", "-q", "--out", folder / "one")
    assert job.returncode == 0, job.stderr
    return folder


def write_long_sweep(path):
    """Six batches, of which each of two ranks runs three."""
    write_sweep(path, rounds=30, sweep={"grid": {"algorithm.*.K": [1, 2, 3, 4, 5, 6]}})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digests of the long sweep that nothing stops."""
    folder = tmp_path_factory.mktemp("whole")
    write_long_sweep(folder / "my.toml")
    job = run_kavg("sweep", folder / "my.toml", "-q", "--out", folder / "out")
    assert job.returncode == 0, job.stderr
    return all_digests(folder / "out")


@pytest.mark.parametrize("spread", ["batches", "learners"])
@pytest.mark.parametrize("size", [2, 3])
def test_ranks_never_change_the_points(folder, size, spread):
    out = folder / f"{spread}{size}"
    job = run_kavg_on_ranks(
        size, "sweep", folder / "my.toml", "-q", "--spread", spread, "--out", out
    )
    assert job.returncode == 0, job.stderr
    assert all_digests(out) == all_digests(folder / "one")
    assert read_sweep(out)["winners"] == read_sweep(folder / "one")["winners"]
    assert read_digest(out) == read_digest(folder / "one")
    words = "batches of its own" if spread == "batches" else "share the learners"
    assert all(words in each for each in read_sweep(out)["spread"])


def test_verify_on_ranks_repeats_a_sweep_of_one(folder):
    job = run_kavg_on_ranks(2, "verify", folder / "one", "-q")
    assert job.returncode == 0, job.stdout + job.stderr
    assert "same bits" in job.stdout


@pytest.mark.parametrize("spread", ["batches", "learners"])
def test_ranks_that_are_stopped_leave_what_one_process_completes(tmp_path, whole, spread):
    write_long_sweep(tmp_path / "my.toml")
    job = subprocess.Popen(
        [mpiexec(), "-n", "2", sys.executable, SLOW, "0.02", "sweep", "my.toml", "-q",
         "--spread", spread, "--out", "out"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    end = time.monotonic() + 60
    while time.monotonic() < end and job.poll() is None:
        if (tmp_path / "out").exists() and stored_checkpoints(tmp_path / "out"):
            break
        time.sleep(0.02)
    job.send_signal(signal.SIGTERM)
    _, err = job.communicate(timeout=60)
    assert job.returncode != 0, err
    assert not (tmp_path / "out/sweep.json").exists()
    assert stored_checkpoints(tmp_path / "out"), err
    job = run_kavg("resume", tmp_path / "out", "-q")
    assert job.returncode == 0, job.stderr
    assert all_digests(tmp_path / "out") == whole


def test_wrong_settings_are_reported_once(tmp_path):
    write_sweep(tmp_path / "my.toml", sweep=SWEEP | {"grid": {"algorithm.*.gama": [1]}})
    job = run_kavg_on_ranks(2, "sweep", tmp_path / "my.toml", "-q", "--out", tmp_path / "out")
    assert job.returncode == 2
    assert job.stderr.count("gama") >= 1
    assert job.stderr.count("kavg:") == 1
