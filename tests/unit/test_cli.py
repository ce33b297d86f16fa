"""The command line in one process: what it says, writes and returns."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kavg import cli, jobs
from kavg.config import EXAMPLE

SMALL = EXAMPLE.replace("rounds = 200", "rounds = 3").replace("replicas = 64", "replicas = 2")


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    """``command("run", ...)`` gives the exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["kavg", *map(str, words)])
        monkeypatch.setattr(cli, "launcher", lambda: None)
        monkeypatch.delitem(sys.modules, "mpi4py.MPI", raising=False)
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, *capsys.readouterr()

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_run_writes_the_whole_folder(command, settings, tmp_path):
    code, said, progress = command("run", settings, "--out", tmp_path / "out")
    assert code == 0
    assert "K-AVG" in said
    assert "round 3 of 3" in progress
    written = ["config.toml", "environment.json", "figures", "metrics.csv"]
    assert names(tmp_path / "out") == [*written, "summary.json", "trajectory.npz"]
    assert names(tmp_path / "out" / "figures") == ["trajectory.png", "trajectory.svg"]
    stored = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert f"digest  {stored['digest']}" in said


def test_the_default_folder_is_named_after_the_settings(command, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command("run", settings, "--quiet")[0] == 0
    assert names(tmp_path / "runs") == ["small"]


def test_the_written_settings_give_the_same_run(command, settings, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    command("run", settings, "--set", "algorithm.*.K=3", "--out", first, "-q")
    command("run", first / "config.toml", "--out", again, "-q")
    digests = [json.loads((f / "summary.json").read_text())["digest"] for f in (first, again)]
    assert digests[0] == digests[1]


def test_set_changes_the_run(command, settings, tmp_path):
    _, plain, _ = command("run", settings, "--out", tmp_path / "a", "-q")
    _, other, _ = command("run", settings, "--set", "seed=2", "--out", tmp_path / "b", "-q")
    assert plain.split()[1] != other.split()[1]


def test_quiet_says_only_where_and_what(command, settings, tmp_path):
    _, said, progress = command("run", settings, "--out", tmp_path / "out", "--quiet")
    assert [line.split()[0] for line in said.splitlines()] == ["digest", "folder"]
    assert progress == ""


def test_an_older_run_is_kept_without_force(command, settings, tmp_path):
    out = tmp_path / "out"
    command("run", settings, "--out", out, "-q")
    before = (out / "environment.json").read_bytes()
    code, _, complaint = command("run", settings, "--out", out)
    assert code == 2
    assert "--force" in complaint
    assert (out / "environment.json").read_bytes() == before
    assert command("run", settings, "--out", out, "--force", "-q")[0] == 0


def test_force_does_not_overwrite_what_is_not_a_run(command, settings, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").write_text("years of work")
    code, _, complaint = command("run", settings, "--out", tmp_path / "precious", "--force")
    assert code == 2
    assert "not a run folder" in complaint
    assert names(tmp_path / "precious") == ["thesis.tex"]


def test_faults_are_all_said_and_nothing_is_written(command, settings, tmp_path):
    settings.write_text(SMALL.replace("gamma", "lr").replace("dim = 100", "dim = -1"))
    code, said, complaint = command("run", settings, "--out", tmp_path / "out")
    assert (code, said) == (2, "")
    assert "5 faults" in complaint
    assert complaint.count("use 'gamma'") == 2
    assert "dim must be" in complaint
    assert names(tmp_path) == ["small.toml"]


def test_a_diverging_algorithm_ends_and_the_others_go_on(command, settings, tmp_path):
    settings.write_text(SMALL.replace("gamma = 0.05", "gamma = 1e200", 1))
    code, said, _ = command("run", settings, "--out", tmp_path / "out")
    assert code == 0
    assert "diverged at round" in said
    stored = json.loads((tmp_path / "out" / "summary.json").read_text())["algorithms"]
    assert stored["K-AVG"]["diverged_at"] >= 1
    assert stored["M-AVG"]["diverged_at"] is None
    assert stored["M-AVG"]["rounds"] == 3


def test_unicode_and_long_names_survive(command, settings, tmp_path):
    name = "平均 🎲 $x_1$ " + "long " * 40 + "name"
    settings.write_text(SMALL.replace("K-AVG", name), encoding="utf-8")
    code, said, _ = command("run", settings, "--out", tmp_path / "çà")
    assert code == 0
    assert "平均" in said
    assert name in json.loads((tmp_path / "çà" / "summary.json").read_text())["algorithms"]


def test_without_matplotlib_it_runs_and_says_so(command, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "installed", lambda name: None)
    code, said, _ = command("run", settings, "--out", tmp_path / "out")
    assert code == 0
    assert "pip install 'kavg[plot]'" in said
    assert names(tmp_path / "out" / "figures") == []


def test_plot_draws_again_over_another_axis(command, settings, tmp_path):
    command("run", settings, "--out", tmp_path / "out", "-q")
    code, said, _ = command("plot", tmp_path / "out", "--axis", "seconds", "--out", tmp_path / "f")
    assert code == 0
    assert len(said.splitlines()) == 2
    assert names(tmp_path / "f") == ["trajectory.png", "trajectory.svg"]
    code, _, complaint = command("plot", tmp_path / "out", "--axis", "minutes")
    assert code == 2
    assert "rounds, steps, gradients, communications, seconds" in complaint
    assert command("plot", tmp_path / "nowhere")[0] == 2


def test_list_schema_version_help(command):
    code, said, _ = command("list")
    assert code == 0
    assert "cosine(dim, lam=1.0, A=1.0, omega=3.0)" in said
    assert "L = 10 (exact)" in said
    assert command("list", "fruits")[0] == 2
    code, said, _ = command("schema")
    assert "BlockMomentum" in json.loads(said)["$defs"]
    assert command("--version")[1].startswith("kavg ")
    assert "mpiexec -n 4" in command("run", "--help")[1]


@pytest.mark.parametrize("words", [["run"], ["run", "x", "--fast"], ["fly"], []])
def test_wrong_usage_is_exit_code_2(command, words):
    code, said, complaint = command(*words)
    assert code == 2
    assert "Usage" in said + complaint


def test_python_m_kavg_is_the_command(settings, tmp_path):
    words = [sys.executable, "-m", "kavg", "run", str(settings), "--out", str(tmp_path / "out")]
    job = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert job.returncode == 0, job.stderr
    assert job.stdout.count("digest") == 1


def test_a_crash_shows_its_traceback_and_returns_1(command, settings, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("a fault planted by a test")

    monkeypatch.setattr(jobs, "simulate", fails)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    code, _, said = command("run", settings, "--out", tmp_path / "out", "-q")
    assert code == 1
    assert said.count("Traceback") == 1
    assert names(tmp_path) == ["small.toml"]


def test_an_interrupt_leaves_nothing(settings, tmp_path):
    settings.write_text(SMALL.replace("rounds = 3", "rounds = 100000000"))
    words = [sys.executable, "-m", "kavg", "run", str(settings), "--out", str(tmp_path / "out")]
    variables = os.environ | {"PYTHONUNBUFFERED": "1"}
    job = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=variables)
    job.stderr.readline()
    time.sleep(0.2)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=20)
    assert job.returncode == 130
    assert "Traceback" not in said
    assert "interrupted" in said
    assert names(tmp_path) == ["small.toml"]
