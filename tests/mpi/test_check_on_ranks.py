"""``kavg check`` under mpiexec: one table, one set of verdicts, one exit code."""

import json

import pytest
from helpers.launch import TESTS, run_kavg_on_ranks, run_on_ranks
from helpers.settings import k_avg, write_settings

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@pytest.fixture
def config(tmp_path):
    return write_settings(
        tmp_path / "wave.toml",
        figures=False,
        rounds=20,
        replicas=4,
        start=0.6,
        objective={"kind": "triangular_wave", "dim": 3},
        oracle={"kind": "gaussian", "sigma2": 0.01},
        algorithm=[k_avg(P=3, K=1, gamma=2.0)],
    )


def read_verdicts(folder):
    return json.loads((folder / "verdicts.json").read_text())


def test_verdicts_do_not_depend_on_the_ranks(config, tmp_path):
    for size in (1, 2, 5):
        job = run_kavg_on_ranks(
            size, "check", config, "--set", "algorithm.0.gamma=0.9", "--set", "replicas=2",
            "--until-decided", "--budget", "8", "--out", tmp_path / str(size),
        )  # fmt: skip
        assert job.returncode == 0, job.stderr
        assert job.stdout.count("Verdicts hold jointly at level") == 1
        assert read_verdicts(tmp_path / str(size)) == read_verdicts(tmp_path / "1")
    job = run_kavg_on_ranks(3, "check", tmp_path / "2")
    assert job.returncode == 0, job.stderr
    assert job.stdout.count("Verdicts hold jointly at level") == 1


@pytest.mark.parametrize("size", [1, 3])
def test_a_violation_leaves_with_3(config, tmp_path, size):
    out = tmp_path / "out"
    for words in ([config, "--out", out], [out]):
        job = run_on_ranks(size, TESTS / "mpi/violated.py", "check", *words)
        assert job.returncode == 3, job.stderr
        assert job.stdout.count(" VIOLATED") >= 1
        assert "Traceback" not in job.stderr
    assert any(v["outcome"] == "VIOLATED" for v in read_verdicts(out)["verdicts"])


def test_wrong_options_are_reported_once(config):
    for words in (["--level", "2"], ["--budget", "9"]):
        job = run_kavg_on_ranks(3, "check", config, *words)
        assert job.returncode == 2
        assert job.stderr.count("kavg: --") == 1
