"""Processes of their own, alone or as ranks under ``mpiexec``, with a time limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kavg.mpi.launchers import LAUNCHERS

TESTS = Path(__file__).parents[1]
LAUNCH_VARIABLES = {name for launcher in LAUNCHERS for name in launcher[1:] if name is not None}


def mpiexec() -> str:
    """The launcher that came with this Python's MPI, else the one on the PATH."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    assert found, "no mpiexec: pip install 'kavg[test]' brings one"
    return found


def run_process(
    command: Sequence[object], seconds: float = 60, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and keep its output; one that hangs fails."""
    paths = [str(TESTS), os.environ.get("PYTHONPATH", "")]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, timeout=seconds, env=variables, cwd=cwd, check=False,
    )  # fmt: skip


def run_on_ranks(
    size: int, *command: object, seconds: float = 60, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python command`` on ``size`` ranks."""
    return run_process([mpiexec(), "-n", size, sys.executable, *command], seconds, cwd)


def run_kavg(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``kavg words`` in a process of its own, without a launcher."""
    return run_process([sys.executable, "-m", "kavg", *words])


def run_kavg_on_ranks(
    size: int, *words: object, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``kavg words`` on ``size`` ranks."""
    return run_on_ranks(size, "-m", "kavg", *words, cwd=cwd)
