"""Workers in processes of their own: pinned, told what they need, and no loss if one crashes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, final

from experiments.benchmarks.contestants.contestant import LeftOut
from experiments.benchmarks.cpu_affinity import pinnable_cores, pinned
from experiments.benchmarks.instruction_set import InstructionSet, limits
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.startup import startup
from experiments.benchmarks.timing import CPU
from experiments.benchmarks.worker import Job
from kavg.cli.environment import simd_extensions

ONE_THREAD: Final = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
"""What JAX must be told before it is imported, to stay on the one core that all contestants get."""
LOOPBACK: Final = {"GLOO_SOCKET_IFNAME": "lo"}
"""gloo on 127.0.0.1."""
LIMIT: Final = 1200
"""Seconds after which a worker is taken to hang."""


@final
@dataclass(frozen=True)
class Plan:
    """How often, for how long at least, how large, where, by which clock, with which variables."""

    repetitions: int
    least: float
    quick: bool
    core: int | None
    clock: str = CPU
    variables: Mapping[str, str] = field(default_factory=lambda: ONE_THREAD | LOOPBACK)

    def job(self, group: str, results: Path) -> Job:
        """What a worker is told."""
        return Job(group, self.repetitions, self.least, self.quick, str(results), self.clock)


def worker_variables(isa: InstructionSet) -> dict[str, str]:
    """What every worker gets: one thread, and nothing wider than the instruction set.

    Flags for XLA are added to those that are set, as it reads one variable.
    """
    held = limits(isa, simd_extensions(), os.environ)
    flags = (os.environ, ONE_THREAD, held)
    together = " ".join(text for each in flags if (text := each.get("XLA_FLAGS")))
    return ONE_THREAD | LOOPBACK | held | {"XLA_FLAGS": together}


def measure(group: str, plan: Plan) -> list[Measured]:
    """All workloads of a group; where a process failed, what it had done and why it ended."""
    if group == "startup":
        with pinned(plan.core):
            return [startup(plan.repetitions, plan.variables, quick=plan.quick)]
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        job = plan.job(group, results)
        try:
            if group == "ranks":
                start(on_two_ranks(job, pinnable_cores()), plan.variables)
            else:
                with pinned(plan.core):
                    start(alone(job), plan.variables)
        except LeftOut as reason:
            return [*read(results), failed(group, str(reason))]
        return read(results)


def alone(job: Job) -> list[str]:
    """The command of a worker in one process."""
    return [sys.executable, "-m", "experiments.benchmarks.worker", json.dumps(asdict(job))]


def on_two_ranks(job: Job, cores: Sequence[int]) -> list[str]:
    """The command of a worker on two ranks; mpi4py's own runner ends both if one fails."""
    words = ["-m", "mpi4py", "-m", "experiments.benchmarks.mpi_worker"]
    told = [json.dumps(asdict(job)), json.dumps(list(cores))]
    return [mpiexec(), "-n", "2", sys.executable, *words, *told]


def mpiexec() -> str:
    """The launcher that came with this Python, else the one on the PATH."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise LeftOut("there is no mpiexec: pip install 'kavg[mpich]'")
    return found


def start(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a worker to its end; what it says goes where our errors go."""
    try:
        done = subprocess.run(
            command,
            env=os.environ | variables,
            stdout=sys.stderr.fileno(),
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LeftOut(f"its process hung and was ended after {LIMIT} s") from None
    if done.returncode:
        raise LeftOut(f"its process failed with code {done.returncode}")


def read(results: Path) -> list[Measured]:
    """What a worker left."""
    if not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines()
    return [Measured(**json.loads(line)) for line in lines]


def failed(group: str, reason: str) -> Measured:
    """A group, or the rest of one, that could not be measured."""
    return Measured(group, group, {}, "", 1.0, {}, {"not measured": reason})
