"""Real ranks that are stopped, killed or out of disk, and the run that goes on from there."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from helpers.launch import TESTS, mpiexec, run_kavg_on_ranks, run_on_ranks, run_process
from helpers.run_folder import read_digest, stored_checkpoints
from helpers.settings import write_settings

from kavg.storage.checkpoints import FOLDER

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

SLOW = TESTS / "mpi" / "slow_ranks.py"


def write_my_settings(folder):
    write_settings(
        folder / "my.toml", figures=False, rounds=60, record={"every": 7}, checkpoint={"every": 10}
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The digest of the uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    write_my_settings(folder)
    command = [sys.executable, SLOW, 0, "run", "my.toml", "--out", "out", "-q"]
    job = run_process(command, cwd=folder)
    assert job.returncode == 0, job.stderr
    return read_digest(folder / "out")


def started(folder, size, checkpoints=1):
    """A run on so many slow ranks that has written so many checkpoints, and its ranks' numbers."""
    write_my_settings(folder)
    (folder / "ranks").mkdir()
    job = subprocess.Popen(
        [mpiexec(), "-n", str(size), sys.executable, SLOW, "0.02",
         "run", "my.toml", "--out", "out", "-q"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A background job may have been told to ignore SIGINT; its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    end = time.monotonic() + 40
    while time.monotonic() < end and job.poll() is None:
        if (folder / "out").exists() and len(stored_checkpoints(folder / "out")) >= checkpoints:
            numbers = [int((folder / f"ranks/{i}").read_text()) for i in range(size)]
            return job, numbers
        time.sleep(0.02)
    job.kill()
    raise AssertionError(f"no checkpoint was written: {job.communicate()}")


def ended(job):
    """Its exit code and what it said, within ten seconds."""
    try:
        out, err = job.communicate(timeout=10)
    finally:
        job.kill()
    assert "Traceback" not in err
    return job.returncode, out, err


def assert_resumed(folder, whole, size):
    partial = [path.name for path in (folder / "out").rglob("*") if "partial" in path.name]
    job = run_on_ranks(size, SLOW, 0, "resume", "out", "-q", cwd=folder)
    assert job.returncode == 0, job.stderr
    assert job.stdout.count("digest") == 1
    assert read_digest(folder / "out") == whole
    assert sorted(p.name for p in folder.iterdir()) == ["my.toml", "out", "ranks"]
    return partial


@pytest.mark.parametrize(
    ("receiver", "number", "code"),
    [
        ("mpiexec", signal.SIGTERM, 143),
        ("mpiexec", signal.SIGINT, 130),
        ("rank 0", signal.SIGINT, 130),
        ("rank 1", signal.SIGTERM, 143),
        ("rank 1", signal.SIGHUP, 129),
    ],
)
def test_a_signal_ends_all_ranks_after_the_same_round(tmp_path, whole, receiver, number, code):
    job, numbers = started(tmp_path, 3)
    if receiver == "mpiexec":
        job.send_signal(number)
    else:
        os.kill(numbers[int(receiver[-1])], number)
    left, out, err = ended(job)
    assert (left, out.count("digest")) == (code, 0)  # mpiexec itself speaks of Ctrl-C
    said = f"kavg: stopped by {signal.Signals(number).name} after round "
    assert err.count(said) == 1, err
    assert err.count("kavg: ") == 1
    n = int(err.partition(said)[2].split()[0])
    assert int(stored_checkpoints(tmp_path / "out")[0].stem) == n
    assert not assert_resumed(tmp_path, whole, size=2 if receiver == "mpiexec" else 1)


@pytest.mark.parametrize(("victim", "size"), [(0, 3), (1, 5)])
def test_a_rank_that_is_killed(tmp_path, whole, victim, size):
    job, numbers = started(tmp_path, 2, checkpoints=2)
    os.kill(numbers[victim], signal.SIGKILL)
    code, *_ = ended(job)
    assert code != 0
    # The third is there for a moment before the first is dropped.
    assert 1 <= len(stored_checkpoints(tmp_path / "out")) <= 3
    assert_resumed(tmp_path, whole, size)


def test_a_disk_that_is_full(tmp_path, whole):
    """Rank 0 may write no file longer than a byte, from some round on."""
    job, numbers = started(tmp_path, 2, checkpoints=2)
    resource.prlimit(numbers[0], resource.RLIMIT_FSIZE, (1, 1))
    code, out, err = ended(job)
    assert (code, out) == (1, "")
    assert err.count("kavg: ") == 1
    assert "cannot write a checkpoint to 'out/checkpoints': File too large" in err
    last, _ = stored_checkpoints(tmp_path / "out")
    assert f"kavg resume out continues from {last.name}" in err
    assert not assert_resumed(tmp_path, whole, size=3)


def test_a_folder_in_which_nothing_can_be_written(tmp_path, whole):
    job, _ = started(tmp_path, 2, checkpoints=2)
    (tmp_path / "out" / FOLDER).rename(tmp_path / "aside")
    (tmp_path / "out" / FOLDER).write_text("no folder")
    code, out, err = ended(job)
    assert (code, out) == (1, "")
    assert err.count("kavg: ") == 1
    assert "cannot write a checkpoint to 'out/checkpoints': " in err
    (tmp_path / "out" / FOLDER).unlink()
    (tmp_path / "aside").rename(tmp_path / "out" / FOLDER)
    assert not assert_resumed(tmp_path, whole, size=1)


def test_ranks_that_read_something_else_are_found(tmp_path):
    write_my_settings(tmp_path)
    for name, seed in (("one", 1), ("other", 2)):
        words = ["my.toml", "-q", "--out", name, "--set", f"seed={seed}", "--set", "rounds=3"]
        job = run_process([sys.executable, SLOW, 0, "run", *words], cwd=tmp_path)
        assert job.returncode == 0, job.stderr
    command = [sys.executable, "-m", "kavg", "resume"]
    for last, said in (("other", "trajectory.npz"), ("gone", "there is no run in 'gone'")):
        first, second = [*command, "one", "--rounds", "9"], [*command, last, "--rounds", "9"]
        job = run_process([mpiexec(), "-n", 2, *first, ":", "-n", 1, *second], cwd=tmp_path)
        assert job.returncode == 2
        assert job.stderr.count("the runs differ between ranks") == 1
        assert f"rank 2: {said}" in job.stderr
    assert (tmp_path / "one/summary.json").exists()


def test_a_finished_run_is_extended_on_any_ranks(tmp_path, whole):
    write_my_settings(tmp_path)
    words = ["my.toml", "-q", "--out", "out", "--set", "rounds=30"]
    assert run_on_ranks(2, SLOW, 0, "run", *words, cwd=tmp_path).returncode == 0
    job = run_on_ranks(3, SLOW, 0, "resume", "out", "-q", "--rounds", "60", cwd=tmp_path)
    assert job.returncode == 0, job.stderr
    assert read_digest(tmp_path / "out") == whole
    job = run_kavg_on_ranks(2, "resume", "out", cwd=tmp_path)
    assert job.returncode == 0, job.stderr
    assert job.stdout.count("is finished, 60 rounds") == 1
