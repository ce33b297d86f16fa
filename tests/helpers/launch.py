"""Real ranks: a command under ``mpiexec``, with a time limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kavg.mpi.launchers import LAUNCHERS

HERE = Path(__file__).parents[1]
LAUNCH_VARIABLES = {name for launcher in LAUNCHERS for name in launcher[1:] if name is not None}


def mpiexec() -> str:
    """The launcher that came with this Python's MPI, else the one on the PATH."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    assert found, "no mpiexec: pip install 'kavg[test]' brings one"
    return found


def ranks(
    size: int, *command: str, seconds: float = 60, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python command`` on ``size`` ranks; a job that hangs fails."""
    full = [mpiexec(), "-n", str(size), sys.executable, *command]
    return alone(full, seconds, cwd)


def alone(
    full: Sequence[str], seconds: float = 60, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it says."""
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        full, capture_output=True, text=True, timeout=seconds, env=variables, cwd=cwd, check=False
    )
