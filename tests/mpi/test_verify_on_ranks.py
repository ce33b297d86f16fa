"""``kavg verify`` and ``kavg diff`` under mpiexec: one verdict, said once, whatever the ranks."""

import re
import shutil
from dataclasses import replace

import pytest
from helpers.launch import run_kavg, run_kavg_on_ranks
from helpers.run_folder import change_environment, renew_manifest
from helpers.settings import k_avg, write_settings

from kavg.storage import load_trajectories
from kavg.storage.trajectories import write_trajectories

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """``make("a", ...)``: a finished run of one process."""
    place = tmp_path_factory.mktemp("verify")
    config = write_settings(place / "small.toml", figures=False, replicas=6, algorithm=[k_avg()])

    def make(name, *sets):
        job = run_kavg("run", config, "-q", "--out", place / name, *sets)
        assert job.returncode == 0, job.stderr
        return place / name

    return make


@pytest.fixture(scope="module")
def finished(make):
    """A finished run; a test that changes it takes a copy."""
    return make("a")


@pytest.fixture
def folder(finished, tmp_path):
    """A finished run that a test may change."""
    return shutil.copytree(finished, tmp_path / "a")


def test_verify_finds_the_same_bits_on_any_number_of_ranks(finished):
    for size, how in ((1, []), (3, []), (5, ["--sample", "4"])):
        job = run_kavg_on_ranks(size, "verify", finished, "-q", *how)
        assert job.returncode == 0, job.stderr
        assert job.stdout.count("same bits") == 1
        assert "the same versions; these bits do not depend on the processor" in job.stdout


def test_a_plain_mean_on_other_ranks_is_the_same_within_confidence(make):
    folder = make("mean", "--set", "mean=allreduce")
    job = run_kavg_on_ranks(3, "verify", folder, "-q")
    assert job.returncode == 0, job.stderr
    said = " ".join(job.stdout.split())
    found = re.search(r"environment ranks 3 of (.+) \(then 1\): sums of mean = 'allreduce' d", said)
    assert found, said
    assert job.stdout.splitlines()[-1] == "same within confidence"
    change_environment(folder, ranks=3, mpi=found[1])
    renew_manifest(folder)
    job = run_kavg_on_ranks(3, "verify", folder, "-q")
    assert job.returncode == 1
    assert job.stdout.splitlines()[-1] == "different"


def test_runs_of_another_arithmetic_are_refused_once(folder):
    change_environment(folder, arithmetic=1)
    renew_manifest(folder)
    runs = [
        replace(run, arithmetic=1, series={"F": 2 * run.F}) for run in load_trajectories(folder)
    ]
    write_trajectories(folder / "trajectory.npz", runs)
    for words, size in (("verify", 3), ("check", 2)):
        job = run_kavg_on_ranks(size, words, folder, "-q")
        assert job.returncode == 2
        assert job.stderr.count("kavg: ") == 1
        assert "rank" not in job.stderr
        assert "arithmetic" in job.stderr


def test_a_changed_file_is_reported_once(folder):
    (folder / "metrics.csv").write_text("tampered")
    job = run_kavg_on_ranks(3, "verify", folder, "--files")
    assert job.returncode == 1
    assert job.stdout.count("'metrics.csv' was changed") == 1
    assert job.stderr == ""


def test_wrong_folders_are_reported_once(finished, tmp_path):
    for words in (["verify", tmp_path / "gone"], ["diff", finished, "gone"]):
        job = run_kavg_on_ranks(3, *words)
        assert job.returncode == 2
        assert job.stderr.count("kavg: ") == 1


def test_diff_compares_two_runs_on_any_ranks(make, finished):
    other = make("b", "--set", "seed=2")
    job = run_kavg_on_ranks(3, "diff", finished, other)
    assert job.returncode == 1
    assert job.stdout.count("settings  seed: 1 and 2") == 1
    assert job.stdout.splitlines()[-1] == "different"
