"""The self-test: a small run on several ranks must have the digest of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from kavg.base import Communicator
from kavg.cli.doctor.finding import Finding, fine, wrong
from kavg.cli.doctor.mpi_library import INSTALL, Launcher, Library, fitting_launcher
from kavg.cli.execution import begin_run
from kavg.config.settings_file import parse_config
from kavg.engine.communicator import SerialComm
from kavg.engine.simulation import complete_run
from kavg.storage import joint_digest

NAME: Final = "self-test"
SECONDS: Final = 60.0
"""The time limit of two ranks, for a run that takes two seconds."""

# P is no multiple of 2, 3 or 4, so ranks have unequal shares; mu makes the outer rule carry v.
SETTINGS: Final = """\
seed = 1
rounds = 5
replicas = 2
start = 2.0
timeout = 20.0
figures = false
objective = { kind = "cosine", dim = 4 }
oracle = { kind = "gaussian", sigma2 = 1.0 }
algorithm = [{ P = 5, K = 3, gamma = 0.05, outer = { kind = "block_momentum", mu = 0.5 } }]
"""

REMEDIES: Final = {
    "run as root": "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or be another"
    " user",
    "not enough slots": "mpiexec --oversubscribe, or export PRTE_MCA_rmaps_default_mapping_policy="
    ":oversubscribe",
}
"""Messages of launchers that do not start, with the remedy for each."""


def _digest_on(comm: Communicator) -> str:
    config = parse_config(SETTINGS)
    runs = [complete_run(begin_run(config, one), comm) for one in config.algorithms]
    return joint_digest(runs)


def _judge_digest(found: str, what: str) -> Finding:
    expected = _digest_on(SerialComm())
    if found == expected:
        return fine(NAME, f"{what}: digest {found[:12]}..., as in one process")
    return wrong(
        NAME,
        f"{what}: digest {found[:12]}..., but one process computes {expected[:12]}...",
        "do not trust the sums of this MPI library; report it with the table above",
    )


def try_these_ranks(comm: Communicator) -> Finding:
    """Run on the ranks of ``comm``, which a launcher started, and on one; compare the digests."""
    return _judge_digest(_digest_on(comm), f"on these {comm.Get_size()} ranks")


def try_two_ranks(mpi: Library, mpiexec: Launcher | None) -> Finding:
    """Start two ranks of a small run and compare their digest with that of one process.

    They run in a temporary folder and have a time limit.  Without an ``mpiexec`` one process is
    tried alone, which is fine.
    """
    if mpiexec is None:
        hint = INSTALL if mpi.error else "put an mpiexec on the PATH to try two ranks"
        found = f"one process works, digest {_digest_on(SerialComm())[:12]}..."
        return fine(NAME, f"{found}; no mpiexec to try two ranks with", hint)
    command = [str(mpiexec.path), "-n", "2", sys.executable, "-m", "kavg"]
    with tempfile.TemporaryDirectory(prefix="kavg-doctor-") as place:
        folder = Path(place)
        (folder / "tiny.toml").write_text(SETTINGS)
        try:
            job = subprocess.run(
                [*command, "run", "tiny.toml", "--quiet", "--out", "tiny"],
                cwd=folder, env=_environment(), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return wrong(
                NAME, f"two ranks had not finished after {SECONDS:g} s", _advise_by_hand(command)
            )
        except OSError as error:
            return wrong(NAME, f"mpiexec does not start: {error.strerror}", fitting_launcher(mpi))
        return _judge_job(folder / "tiny", job, _advise_by_hand(command), mpi)


def _environment() -> dict[str, str]:
    """The variables of this process, under which ranks import this very kavg."""
    # Where kavg is not installed, Python finds it in the current folder, which ranks do not share.
    ours = str(Path(__file__).parents[3])
    paths = [ours, os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "MPLBACKEND": "Agg"}


def _judge_job(
    folder: Path, job: subprocess.CompletedProcess[str], again: str, mpi: Library
) -> Finding:
    if job.returncode == 0 and (folder / "summary.json").exists():
        digest = json.loads((folder / "summary.json").read_text())["digest"]
        ranks = json.loads((folder / "environment.json").read_text())["ranks"]
        return _judge_digest(digest, f"mpiexec -n 2 ran {ranks} ranks")
    output = job.stderr + job.stdout
    for message, fix in REMEDIES.items():
        if message in output:
            return wrong(NAME, f"mpiexec -n 2 refuses: {message}", fix)
    # Only an error of the launch mentions kavg doctor: library and launcher do not match.
    if "kavg doctor" in output:
        return wrong(NAME, f"mpiexec -n 2: {first_message(output)}", fitting_launcher(mpi))
    return wrong(NAME, f"mpiexec -n 2 exited with {job.returncode}: {first_message(output)}", again)


def first_message(output: str) -> str:
    """Return the first message of kavg in the output of a job, else its first line.

    Launchers frame their own messages with rules, which are no lines here.

    >>> first_message("----" + chr(10) + "kavg: no" + chr(10) + "more")
    'no'
    """
    lines = [line.strip() for line in output.splitlines() if line.strip(" -=")]
    ours = [line.removeprefix("kavg: ") for line in lines if line.startswith("kavg: ")]
    return (ours or lines or ["it printed nothing"])[0].rstrip(":")


def _advise_by_hand(command: list[str]) -> str:
    return f"try it by hand: {' '.join(command)} run experiments/quickstart.toml"
