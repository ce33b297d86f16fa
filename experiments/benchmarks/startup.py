"""How long it takes to begin: interpreters that import and leave."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from experiments.benchmarks.contestants.contestant import LeftOut, Repeat, needed, repeated
from experiments.benchmarks.contestants.roster import prepared
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.timing import interleaved

SETTINGS: Final = """
rounds = 1
start = 2.0
objective = { kind = "cosine", dim = 3 }
oracle = { kind = "gaussian", sigma2 = 1.0 }
[[algorithm]]
name = "K-AVG"
P = 2
K = 2
gamma = 0.05
outer = { kind = "averaging" }
"""
PROGRAMS: Final = {
    "import kavg": "import kavg",
    "python alone": "pass",
    "import numpy": "import numpy",
}
PEERS: Final = {"import torch": "import torch", "import jax": "import jax"}
"""Left out where all must be quick."""


def startup(repetitions: int, variables: Mapping[str, str], *, quick: bool) -> Measured:
    """Whole processes from start to end, one after another, in wall time."""
    with tempfile.TemporaryDirectory() as folder:
        programs = PROGRAMS if quick else PROGRAMS | PEERS
        start = partial(starter, variables)
        roster = {name: start(["-c", code]) for name, code in programs.items()}
        roster["kavg --version"] = start(["-m", "kavg", "--version"])
        roster["kavg run, 1 round"] = start(run_command(Path(folder), figures=False))
        roster["the same, with its figure"] = start(run_command(Path(folder), figures=True))
        ready, notes = prepared(roster)
        seconds, more = interleaved(ready, repetitions, 0.0)
    return Measured(
        "startup",
        "start-up",
        {},
        "ms a process",
        1e3,
        seconds,
        notes | more,
        reference="import kavg",
    )


def run_command(folder: Path, *, figures: bool) -> list[str]:
    """``kavg run`` of almost nothing, run folder included."""
    settings = folder / "nothing.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    out = str(folder / "run")
    drawn = f"figures={str(figures).lower()}"
    return ["-m", "kavg", "run", str(settings), "--out", out, "--force", "--quiet", "--set", drawn]


def starter(variables: Mapping[str, str], words: Sequence[str]) -> Callable[[], Repeat]:
    """What prepares a command of this Python, with these variables, to be started again."""
    command = [sys.executable, *words]

    def once() -> None:
        done = subprocess.run(
            command,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise LeftOut(
                f"failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
            )

    def prepare() -> Repeat:
        if words[1].startswith("import "):
            needed(words[1].split()[1])
        return repeated(once)

    return prepare
