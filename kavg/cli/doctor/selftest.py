"""A tiny run on ranks, held against the digest that one process finds."""

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
from kavg.cli.doctor.mpi_library import INSTALL, Launcher, Library, belonging
from kavg.cli.execution import begin_run
from kavg.config.config import parse
from kavg.engine.communicator import SerialComm
from kavg.engine.simulation import complete_run
from kavg.storage import joint_digest

NAME: Final = "self-test"
SECONDS: Final = 60.0
"""Given to two ranks for what takes two seconds."""

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
"""Words of launchers that refuse, and what lets them start."""


def digest_on(comm: Communicator) -> str:
    """The digest of the tiny run on the ranks of ``comm``.

    >>> len(digest_on(SerialComm()))
    64
    """
    config = parse(SETTINGS)
    runs = [complete_run(begin_run(config, one), comm) for one in config.algorithms]
    return joint_digest(runs)


def judged(found: str, what: str) -> Finding:
    """Does a digest equal that of one process?"""
    expected = digest_on(SerialComm())
    if found == expected:
        return fine(NAME, f"{what}: digest {found[:12]}..., as in one process")
    return wrong(
        NAME,
        f"{what}: digest {found[:12]}..., but one process finds {expected[:12]}...",
        "do not trust this MPI library with sums; report it with the table above",
    )


def on_these_ranks(comm: Communicator) -> Finding:
    """Under a launcher: the ranks that are here."""
    return judged(digest_on(comm), f"on these {comm.Get_size()} ranks")


def on_two_ranks(mpi: Library, mpiexec: Launcher | None) -> Finding:
    """Two ranks of our own, with a time limit, in a folder that is removed."""
    if mpiexec is None:
        hint = INSTALL if mpi.fault else "put an mpiexec on the PATH to try two ranks"
        found = f"one process works, digest {digest_on(SerialComm())[:12]}..."
        return fine(NAME, f"{found}; no mpiexec to try two ranks with", hint)
    command = [str(mpiexec.path), "-n", "2", sys.executable, "-m", "kavg"]
    with tempfile.TemporaryDirectory(prefix="kavg-doctor-") as place:
        folder = Path(place)
        (folder / "tiny.toml").write_text(SETTINGS)
        try:
            job = subprocess.run(
                [*command, "run", "tiny.toml", "--quiet", "--out", "tiny"],
                cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return wrong(NAME, f"two ranks had not ended after {SECONDS:g} s", by_hand(command))
        except OSError as error:
            return wrong(NAME, f"mpiexec does not start: {error.strerror}", belonging(mpi))
        return outcome(folder / "tiny", job, by_hand(command), mpi)


def environment() -> dict[str, str]:
    """That of this process; ranks use this very kavg, wherever they are started."""
    ours = str(Path(__file__).parents[3])
    paths = [ours, os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "MPLBACKEND": "Agg"}


def outcome(
    folder: Path, job: subprocess.CompletedProcess[str], again: str, mpi: Library
) -> Finding:
    """What two ranks left."""
    if job.returncode == 0 and (folder / "summary.json").exists():
        digest = json.loads((folder / "summary.json").read_text())["digest"]
        ranks = json.loads((folder / "environment.json").read_text())["ranks"]
        return judged(digest, f"mpiexec -n 2 ran {ranks} ranks")
    said = job.stderr + job.stdout
    for words, fix in REMEDIES.items():
        if words in said:
            return wrong(NAME, f"mpiexec -n 2 refuses: {words}", fix)
    if "kavg doctor" in said:
        return wrong(NAME, f"mpiexec -n 2: {first_of_kavg(said)}", belonging(mpi))
    return wrong(NAME, f"mpiexec -n 2 left with {job.returncode}: {first_of_kavg(said)}", again)


def first_of_kavg(said: str) -> str:
    """What kavg said first, else the first line there is.

    >>> first_of_kavg("----" + chr(10) + "kavg: no" + chr(10) + "more")
    'no'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip(" -=")]
    ours = [line.removeprefix("kavg: ") for line in lines if line.startswith("kavg: ")]
    return (ours or lines or ["nothing was said"])[0].rstrip(":")


def by_hand(command: list[str]) -> str:
    """What to look at next."""
    return f"look at it by hand: {' '.join(command)} run experiments/quickstart.toml"
