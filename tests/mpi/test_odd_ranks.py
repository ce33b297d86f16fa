"""Ranks that stop, are late or part from the others, under mpiexec: named, said once, no hang."""

import shutil
import sys

import pytest
from helpers.launch import TESTS, mpiexec, run_kavg, run_on_ranks, run_process
from helpers.run_folder import read_digest
from helpers.settings import k_avg, write_settings

import kavg

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@pytest.fixture
def config(tmp_path):
    algorithm = [k_avg(name="A")]
    return write_settings(tmp_path / "small.toml", figures=False, timeout=4, algorithm=algorithm)


def odd(fault, rank, config, *words, size=3):
    """Run with one odd rank; the limit is the settings' timeout and what it takes to begin."""
    script = TESTS / "mpi" / "odd_rank.py"
    command = [script, fault, rank, "run", config, "-q", "--out", config.parent / "out", *words]
    return run_on_ranks(size, *command, seconds=30)


def said(job):
    """What kavg said, without the launcher's words."""
    return [line for line in job.stderr.splitlines() if line.startswith("kavg: ")]


@pytest.mark.parametrize(
    ("fault", "rank", "message"),
    [
        ("stops", 0, "rank 0 has not responded for 4 s (round 3 of A); aborting"),
        ("stops", 2, "rank 2 has not responded for 4 s (round 3 of A); aborting"),
        (
            "stops_at_start", 1,
            "rank 1 has not responded for 4 s (before the first round); aborting",
        ),
        (
            "is_late", 1,
            "rank 1 is still computing; the others have waited 4 s (round 3 of A); aborting; "
            "raise 'timeout' in the settings to wait longer",
        ),
    ],
)  # fmt: skip
def test_a_rank_that_keeps_the_others_waiting_is_named_and_the_job_ends(
    config, fault, rank, message
):
    job = odd(fault, rank, config)
    assert job.returncode != 0
    assert said(job) == [f"kavg: {message}"]
    assert "Traceback" not in job.stderr
    # Rank 0 is killed with the job, so its lock may stay; the next command takes it over.
    left = {path.name for path in config.parent.iterdir()} - {".out.lock"}
    assert left == {"small.toml"}


def test_a_rank_that_stops_when_all_is_written_is_named_too(config):
    job = odd("stops_at_end", 1, config)
    assert job.returncode != 0
    assert said(job) == ["kavg: rank 1 has not responded for 4 s (at the end of the job); aborting"]
    assert (config.parent / "out" / "summary.json").exists()


def test_rank_0_may_take_longer_to_write_than_the_others_wait_elsewhere(config):
    job = odd("is_late_at_end", 0, config)
    assert (job.returncode, said(job)) == (0, [])
    assert (config.parent / "out" / "summary.json").exists()


def test_a_rank_that_pauses_costs_nothing_but_time(config, tmp_path):
    assert odd("pauses", 1, config).returncode == 0
    run_kavg("run", config, "--out", tmp_path / "serial")
    assert read_digest(tmp_path / "out") == read_digest(tmp_path / "serial")


def test_ranks_that_drift_apart_are_found_and_the_round_is_named(config):
    job = odd("drifts", 1, config, "--set", "agree_every=2")
    assert job.returncode == 1
    (first,) = said(job)
    assert first == ("kavg: ranks hold different models after round 4 of A (equal after round 2):")
    assert "\n  ranks 0, 2: w, v of hash " in job.stderr
    assert "\n  rank 1: w, v of hash " in job.stderr
    assert not (config.parent / "out").exists()


def test_ranks_that_drift_apart_in_a_short_run_are_found_at_its_end(config):
    job = odd("drifts", 2, config)
    assert job.returncode == 1
    (first,) = said(job)
    assert first == ("kavg: ranks hold different models after round 8 of A (not compared before):")
    assert not (config.parent / "out").exists()


def test_ranks_with_another_numpy_are_found_before_any_work(config):
    job = odd("other_numpy", 1, config)
    assert job.returncode == 2
    assert said(job) == ["kavg: the settings differ between ranks:"]
    assert "\n  rank 1: kavg " in job.stderr
    assert "numpy 1.0" in job.stderr
    assert not (config.parent / "out").exists()


def test_ranks_with_another_program_of_the_same_version_are_found(config, tmp_path):
    theirs = shutil.copytree(kavg.__path__[0], tmp_path / "theirs" / "kavg")
    with (theirs / "outer" / "averaging.py").open("a") as file:
        file.write("# changed\n")
    command = ["run", config, "--out", tmp_path / "out"]
    ours = [sys.executable, "-m", "kavg", *command]
    # A script's own folder is where its imports are looked up first.
    other = [sys.executable, tmp_path / "theirs" / "start.py", *command]
    (tmp_path / "theirs" / "start.py").write_text("from kavg.cli import main; main()\n")
    job = run_process([mpiexec(), "-n", 1, *ours, ":", "-n", 1, *other])
    assert job.returncode == 2
    assert said(job) == ["kavg: the settings differ between ranks:"]
    assert len({line for line in job.stderr.splitlines() if " of source " in line}) == 2
    assert not (tmp_path / "out").exists()
