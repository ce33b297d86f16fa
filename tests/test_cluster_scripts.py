"""The job scripts for clusters, with stand-ins for the batch system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "experiments" / "clusters"
SLURM, PBS = SCRIPTS / "slurm.sh", SCRIPTS / "pbs.sh"
each_script = pytest.mark.parametrize("script", [SLURM, PBS], ids=["slurm", "pbs"])

STAND_INS = {
    "srun": 'echo "srun $*" >>"$CALLS"; exit "$CODE"',
    "mpiexec": 'echo "mpiexec $*" >>"$CALLS"; eval "$HOW"; exit "$CODE"',
    "scontrol": 'echo "scontrol $*" >>"$CALLS"',
    "qsub": 'echo "qsub $*" >>"$CALLS"',
}


@pytest.fixture
def submit(tmp_path):
    """``submit(script, code)``: what the script called and the code it left with."""
    stand_ins = tmp_path / "bin"
    stand_ins.mkdir()
    for name, text in STAND_INS.items():
        (stand_ins / name).write_text(f"#!/bin/sh\n{text}\n")
        (stand_ins / name).chmod(0o755)
    (tmp_path / "nodes").write_text("a\na\nb\n")
    calls = tmp_path / "calls"

    def submit(script, code, **variables):
        calls.write_text("")
        words = ["my.toml", "runs/mine"] if script == SLURM else []
        known = {
            "PATH": f"{stand_ins}:/usr/bin:/bin", "CALLS": str(calls), "CODE": str(code),
            "SLURM_JOB_ID": "17", "PBS_O_WORKDIR": str(tmp_path),
            "PBS_NODEFILE": str(tmp_path / "nodes"), "SETTINGS": "my.toml", "FOLDER": "runs/mine",
        }  # fmt: skip
        job = subprocess.run(
            ["bash", script, *words], env=known | variables, cwd=tmp_path,
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert job.stderr == ""
        return job.returncode, calls.read_text().splitlines()

    return submit


@each_script
def test_a_script_is_bash(script):
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.stat().st_mode & 0o100


@each_script
def test_a_script_has_no_known_faults(script):
    if not shutil.which("shellcheck"):
        pytest.skip("there is no shellcheck")
    job = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert job.returncode == 0, job.stdout


@each_script
def test_one_rank_a_core_and_time_for_a_checkpoint_before_the_limit(script):
    lines = script.read_text().splitlines()
    asked = [line for line in lines if line.startswith(("#SBATCH ", "#PBS "))]
    if script == SLURM:
        assert "#SBATCH --cpus-per-task=1" in asked
        assert "#SBATCH --signal=TERM@180" in asked
    else:
        assert any(":ncpus=32:mpiprocs=32" in line for line in asked)
        assert "#PBS -l walltime=24:00:00" in asked
        assert "24 * 3600 - 180" in script.read_text()


@each_script
@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_run_that_ends_is_not_started_again(submit, script, code):
    left, calls = submit(script, code)
    assert left == code
    (call,) = calls
    launcher = "srun --mpi=pmix --cpu-bind=cores" if script == SLURM else "mpiexec -n 3"
    begun = "run my.toml --out runs/mine --set checkpoint.every=10m"
    assert call == f"{launcher} kavg {begun} --quiet"


@each_script
def test_a_run_that_was_stopped_goes_on_in_the_next_job(submit, script, tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    left, (first, second) = submit(script, 143)
    assert left == 143
    assert first.endswith(" kavg resume runs/mine --quiet")
    if script == SLURM:
        assert second == "scontrol requeue 17"
    else:
        assert second.startswith("qsub -v SETTINGS=my.toml,FOLDER=runs/mine,")
        assert second.endswith(" experiments/clusters/pbs.sh")


@each_script
@pytest.mark.parametrize("code", [129, 138, 140, 152])
def test_other_signals_of_a_site_requeue_the_job_too(submit, script, code):
    left, (_, again) = submit(script, code)
    assert left == code
    assert again.startswith("scontrol requeue 17" if script == SLURM else "qsub -v ")


@each_script
@pytest.mark.parametrize("code", [1, 2, 130, 137])
def test_a_job_that_failed_is_not_queued_again(submit, script, code):
    left, calls = submit(script, code)
    assert (left, len(calls)) == (code, 1)


def test_srun_gets_the_pmi_of_the_environment(submit):
    _, calls = submit(SLURM, 0, KAVG_PMI="pmi2")
    assert calls[0].startswith("srun --mpi=pmi2 ")


def test_at_the_time_limit_a_job_is_requeued_even_if_the_launcher_hides_its_code(submit):
    """Open MPI's mpiexec leaves with 1 where its ranks were told to stop."""
    hides = "trap 'exit 1' TERM; sleep 5 & wait"
    left, calls = submit(PBS, 0, LIMIT="1", HOW=hides)
    assert left == 1
    assert calls[-1].startswith("qsub ")
