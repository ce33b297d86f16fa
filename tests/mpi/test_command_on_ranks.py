"""The command line under mpiexec: one digest, faults said once, and nothing that hangs."""

import shutil
import signal
import subprocess
import sys
import time

import pytest
from helpers.launch import TESTS, mpiexec, run_kavg, run_kavg_on_ranks, run_on_ranks, run_process
from helpers.run_folder import list_files, read_digest, read_environment
from helpers.settings import k_avg, m_avg, settings_text, write_settings

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


@pytest.fixture
def config(tmp_path):
    return write_settings(tmp_path / "small.toml", figures=False)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The finished run of one process, with its figure."""
    folder = tmp_path_factory.mktemp("serial")
    job = run_kavg("run", write_settings(folder / "small.toml"), "--out", folder / "out")
    assert job.returncode == 0, job.stderr
    return folder / "out"


def leftovers(folder):
    return [path for path in folder.rglob(".*") if "partial" in path.name or "old" in path.name]


@pytest.mark.parametrize("module", [["-m", "kavg"], ["-m", "mpi4py", "-m", "kavg"]])
def test_serial_and_ranks_write_the_same_digest(config, tmp_path, serial, module):
    for size in (1, 2, 3, 8):
        folder = tmp_path / str(size)
        job = run_on_ranks(size, *module, "run", config, "--out", folder)
        assert job.returncode == 0, job.stderr
        assert read_digest(folder) == read_digest(serial)
        assert job.stdout.count("digest") == 1
        assert read_environment(folder)["ranks"] == size


def test_ranks_write_the_files_of_one_process(tmp_path, serial):
    config = write_settings(tmp_path / "small.toml")
    job = run_kavg_on_ranks(2, "run", config, "-q", "--out", tmp_path / "out")
    assert job.returncode == 0, job.stderr
    assert any(name.startswith("figures/") for name in list_files(serial))
    assert list_files(tmp_path / "out") == list_files(serial)


def test_errors_are_reported_once_and_nothing_is_written(config, tmp_path):
    text = settings_text().replace("gamma = 0.05", "lr = 0.05").replace("dim = 5", "dim = 0")
    config.write_text(text)
    job = run_kavg_on_ranks(3, "run", config, "--out", tmp_path / "out")
    assert job.returncode == 2
    assert job.stderr.count("algorithm.0.lr: there is no key 'lr' here; use 'gamma'") == 1
    assert job.stderr.count("dim must be") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_a_wrong_option_is_reported_once(config):
    job = run_kavg_on_ranks(3, "run", config, "--fast")
    assert job.returncode == 2
    assert job.stderr.count("--fast") == 1


def test_settings_that_differ_between_ranks_are_found(config, tmp_path):
    other = write_settings(tmp_path / "other.toml", algorithm=[k_avg(), m_avg(K=3)])
    command = [sys.executable, "-m", "kavg", "run"]
    out = ["--out", tmp_path / "out"]
    first, second = [*command, config, *out], [*command, other, *out]
    job = run_process([mpiexec(), "-n", 2, *first, ":", "-n", 1, *second])
    assert job.returncode == 2
    assert job.stderr.count("differ between ranks") == 1
    assert "ranks 0, 1:" in job.stderr
    assert "rank 2:" in job.stderr
    assert not (tmp_path / "out").exists()


def test_an_older_run_is_not_overwritten(config, tmp_path, serial):
    folder = shutil.copytree(serial, tmp_path / "out")
    command = ("run", config, "--out", folder)
    before = (folder / "environment.json").read_bytes()
    again = run_kavg_on_ranks(2, *command)
    assert again.returncode == 2
    assert again.stderr.count("--force") == 1
    assert (folder / "environment.json").read_bytes() == before
    assert run_kavg_on_ranks(2, *command, "--force").returncode == 0
    assert read_environment(folder)["ranks"] == 2
    assert not leftovers(tmp_path)


def test_an_exception_on_one_rank_ends_all(config, tmp_path):
    script = TESTS / "mpi" / "fail_on_rank_1.py"
    began = time.monotonic()
    job = run_on_ranks(3, script, "run", config, "--out", tmp_path / "out", seconds=20)
    assert time.monotonic() - began < 10  # 5 s to end, and time to start
    assert job.returncode != 0
    assert job.stderr.count("Traceback") == 1
    assert job.stderr.count("rank 1 of 3") == 1
    assert job.stderr.count("RuntimeError: a fault planted by a test") == 1
    assert not (tmp_path / "out").exists()
    assert not leftovers(tmp_path)


def test_an_interrupt_leaves_nothing_half_written(config, tmp_path):
    write_settings(config, rounds=100_000_000, record={"every": 1000})
    command = [sys.executable, "-m", "kavg", "run", str(config), "--out", str(tmp_path / "out")]
    job = subprocess.Popen(
        [mpiexec(), "-n", "2", *command, "--set", "checkpoint.every=never"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A background job may have been told to ignore SIGINT; its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert "K-AVG" in job.stderr.readline()  # the first round is done
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=20)
    assert job.returncode == 130
    assert said.count("kavg: stopped by SIGINT after round ") == 1
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.toml"]


def test_settings_from_standard_input_are_read_by_rank_0_for_all(config, tmp_path, serial):
    line = f"cat {config} | '{mpiexec()}' -n 2 '{sys.executable}' -m kavg run - --out out"
    job = run_process(["bash", "-c", line], cwd=tmp_path)
    assert job.returncode == 0, job.stderr
    assert read_digest(tmp_path / "out") == read_digest(serial)
    assert read_environment(tmp_path / "out")["ranks"] == 2


def test_no_settings_on_standard_input_are_reported_once(tmp_path):
    line = f"'{mpiexec()}' -n 2 '{sys.executable}' -m kavg run - </dev/null"
    job = run_process(["bash", "-c", line], cwd=tmp_path)
    assert job.returncode == 2
    assert job.stderr.count("nothing came; give a file") == 1


def test_a_run_on_ranks_is_kept_whatever_becomes_of_the_output_of_its_ranks(config, tmp_path):
    """Of the ranks, not of mpiexec: that of MPICH kills them where it cannot write itself."""
    rank = f"exec '{sys.executable}' -m kavg run {config} --out out >/dev/full 2>&-"
    job = run_process([mpiexec(), "-n", 2, "bash", "-c", rank], cwd=tmp_path)
    assert (job.returncode, job.stderr) == (1, "")
    assert len(read_digest(tmp_path / "out")) == 64
