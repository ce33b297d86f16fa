"""Ranks of one run on processors of unlike kinds: the digest of one process, and no warning."""

from __future__ import annotations

import sys

import pytest
from bits.levels import levels
from helpers.launch import mpiexec, run_kavg, run_process
from helpers.run_folder import read_digest, read_environment
from helpers.settings import write_settings

PROBLEM = {
    "objective": {"kind": "double_well", "dim": 130},
    "oracle": {"kind": "state_dependent", "M": 1.0, "M_v": 0.5},
    "start": {"kind": "normal"},
}


@pytest.mark.mpi
def test_ranks_of_unlike_levels_have_the_digest_of_one_process(tmp_path):
    config = write_settings(tmp_path / "my.toml", figures=False, **PROBLEM)
    assert run_kavg("run", config, "-q", "--out", tmp_path / "serial").returncode == 0
    words = [sys.executable, "-m", "kavg", "run", config, "-q", "--out", tmp_path / "unlike"]
    command = [mpiexec()]
    for number, variables in enumerate(levels().values()):
        settings = [f"{name}={value}" for name, value in variables.items()]
        command += [*([":"] if number else []), "-n", 1, "env", *settings, *words]
    job = run_process(command)
    assert (job.returncode, job.stderr) == (0, "")
    assert read_environment(tmp_path / "unlike")["ranks"] == len(levels())
    assert read_digest(tmp_path / "unlike") == read_digest(tmp_path / "serial")


@pytest.mark.mpi
def test_a_run_over_data_says_that_its_ranks_are_unlike(tmp_path):
    data = {"kind": "classification", "examples": 64}
    objective = {"kind": "logistic_regression", "data": data}
    config = write_settings(tmp_path / "my.toml", figures=False, start=0.0, objective=objective)
    unlike = [each for each in levels().values() if "NPY_DISABLE_CPU_FEATURES" in each]
    if not unlike:
        pytest.skip("NumPy has no vector instructions beyond its baseline here")
    words = [sys.executable, "-m", "kavg", "run", config, "-q", "--out", tmp_path / "unlike"]
    settings = [f"{name}={value}" for name, value in unlike[0].items()]
    job = run_process([mpiexec(), "-n", 1, *words, ":", "-n", 1, "env", *settings, *words])
    assert job.returncode == 0
    assert "ranks run on machines whose last bits may differ" in job.stderr
