"""``kavg verify`` and ``kavg diff`` under mpiexec: one verdict, said once, whatever the ranks."""

import json
import sys

import pytest
from helpers.launch import alone, ranks

from kavg.storage import manifest
from kavg.storage.atomic import write_bytes

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

SETTINGS = """
seed = 1
rounds = 8
replicas = 6
start = 2.0
objective = { kind = "cosine", dim = 5 }
oracle = { kind = "gaussian", sigma2 = 1.0 }

[[algorithm]]
name = "K-AVG"
P = 7
K = 2
gamma = 0.05
outer = { kind = "averaging" }
"""


@pytest.fixture
def run(tmp_path):
    """``run("a", ...)``: a finished run of one process."""
    (tmp_path / "small.toml").write_text(SETTINGS)

    def run(name, *sets):
        folder = tmp_path / name
        command = ["-m", "kavg", "run", str(tmp_path / "small.toml"), "-q", "--out", str(folder)]
        job = alone([sys.executable, *command, *sets])
        assert job.returncode == 0, job.stderr
        return folder

    return run


def test_the_same_bits_on_any_number_of_ranks(run):
    folder = run("a")
    for size, how in ((1, []), (3, []), (5, ["--sample", "4"])):
        job = ranks(size, "-m", "kavg", "verify", str(folder), "-q", *how)
        assert job.returncode == 0, job.stderr
        assert job.stdout.count("same bits") == 1
        assert "the same machine and versions" in job.stdout


def test_a_plain_mean_on_other_ranks_is_the_same_within_confidence(run):
    folder = run("a", "--set", "mean=allreduce")
    job = ranks(3, "-m", "kavg", "verify", str(folder), "-q")
    assert job.returncode == 0, job.stderr
    assert "environment  ranks 3 (then 1)\n" in job.stdout
    assert job.stdout.splitlines()[-1] == "same within confidence"
    told = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(told | {"ranks": 3}))
    write_bytes(folder / manifest.NAME, manifest.build_manifest(folder))
    job = ranks(3, "-m", "kavg", "verify", str(folder), "-q")
    assert job.returncode == 1
    assert job.stdout.splitlines()[-1] == "different"


def test_a_changed_file_is_said_once(run):
    folder = run("a")
    (folder / "metrics.csv").write_text("tampered")
    job = ranks(3, "-m", "kavg", "verify", str(folder), "--files")
    assert job.returncode == 1
    assert job.stdout.count("'metrics.csv' was changed") == 1
    assert job.stderr == ""


def test_wrong_input_is_said_once(run, tmp_path):
    for words in (["verify", str(tmp_path / "gone")], ["diff", str(run("a")), "gone"]):
        job = ranks(3, "-m", "kavg", *words)
        assert job.returncode == 2
        assert job.stderr.count("kavg: ") == 1


def test_diff(run):
    a, b = run("a"), run("b", "--set", "seed=2")
    job = ranks(3, "-m", "kavg", "diff", str(a), str(b))
    assert job.returncode == 1
    assert job.stdout.count("settings  seed: 1 and 2") == 1
    assert job.stdout.splitlines()[-1] == "different"
