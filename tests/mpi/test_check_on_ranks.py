"""``kavg check`` under mpiexec: one table, one set of verdicts, one exit code."""

import json

import pytest
from helpers.launch import HERE, ranks

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

SETTINGS = """
seed = 1
rounds = 20
replicas = 4
start = 0.6
objective = { kind = "triangular_wave", dim = 3 }
oracle = { kind = "gaussian", sigma2 = 0.01 }
algorithm = [{ P = 3, K = 1, gamma = 2.0, outer = { kind = "averaging" } }]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "wave.toml"
    path.write_text(SETTINGS)
    return path


def stored(folder):
    return json.loads((folder / "verdicts.json").read_text())


def test_verdicts_do_not_depend_on_the_ranks(config, tmp_path):
    for size in (1, 2, 5):
        job = ranks(size, "-m", "kavg", "check", str(config), "--set", "algorithm.0.gamma=0.9",
                    "--set", "replicas=2", "--until-decided", "--budget", "8",
                    "--out", str(tmp_path / str(size)))  # fmt: skip
        assert job.returncode == 0, job.stderr
        assert job.stdout.count("Verdicts hold jointly at level") == 1
        assert stored(tmp_path / str(size)) == stored(tmp_path / "1")
    job = ranks(3, "-m", "kavg", "check", str(tmp_path / "2"))
    assert job.returncode == 0, job.stderr
    assert job.stdout.count("Verdicts hold jointly at level") == 1


@pytest.mark.parametrize("size", [1, 3])
def test_a_violation_leaves_with_3(config, tmp_path, size):
    for what in (str(config), str(tmp_path / "out")):
        words = [] if what.endswith("out") else ["--out", str(tmp_path / "out")]
        job = ranks(size, str(HERE / "mpi/violated.py"), "check", what, *words)
        assert job.returncode == 3, job.stderr
        assert job.stdout.count(" VIOLATED") >= 1
        assert "Traceback" not in job.stderr
    assert any(v["outcome"] == "VIOLATED" for v in stored(tmp_path / "out")["verdicts"])


def test_wrong_input_is_said_once(config):
    for words in (["--level", "2"], ["--budget", "9"]):
        job = ranks(3, "-m", "kavg", "check", str(config), *words)
        assert job.returncode == 2
        assert job.stderr.count("kavg: --") == 1
