"""Copies that were started together but do not connect: explained once, exit code 2."""

import os
import subprocess
import sys

import pytest
from helpers.launch import LAUNCH_VARIABLES

import kavg

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]


def copy(config, variables):
    """One copy, as a launcher of another MPI would start it."""
    clean = {name: value for name, value in os.environ.items() if name not in LAUNCH_VARIABLES}
    out = ["--out", str(config.parent / "out")]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kavg", "run", str(config), "-q", *out],
        env=clean | {"PYTHONPATH": os.path.dirname(kavg.__path__[0])} | variables,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("of", "at", "words"),
    [
        ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "the MPI library cannot connect to it"),
        ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "each copy has an MPI world of its own"),
        ("FLUX_JOB_SIZE", "FLUX_TASK_RANK", "each copy has an MPI world of its own"),
    ],
)
def test_copy_0_explains_and_all_leave_before_any_work(tmp_path, of, at, words):
    config = tmp_path / "small.toml"  # need not even be there
    jobs = [copy(config, {of: "2", at: rank}) for rank in "01"]
    assert [job.returncode for job in jobs] == [2, 2]
    assert [job.stdout for job in jobs] == ["", ""]
    assert f"started 2 copies ({of}=2), but {words}" in jobs[0].stderr
    assert "the loaded library is MPICH" in jobs[0].stderr
    assert jobs[0].stderr.count("kavg doctor") == 1
    assert jobs[1].stderr == ""
    assert not list(tmp_path.iterdir())


def test_a_step_of_one_task_is_no_mpi_job(tmp_path):
    job = copy(tmp_path / "gone.toml", {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"})
    assert job.returncode == 2
    assert job.stderr.startswith("kavg: cannot read the settings")
