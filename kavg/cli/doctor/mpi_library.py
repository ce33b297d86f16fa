"""Check the MPI library of this process and the launcher on the PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.cli.doctor.finding import Finding, fine, wrong
from kavg.errors import KavgError
from kavg.mpi.launchers import library_name, loaded_library_path, mpiexec_beside
from kavg.mpi.shared_libraries import advise_on_library, find_library_file

INSTALL: Final = "pip install 'kavg[mpich]', or load the site's MPI, for several ranks"
OPEN_MPI: Final = ("open mpi", "openrte", "prrte", "openmpi")
HYDRA: Final = ("hydra", "mpich", "intel(r) mpi", "mvapich")
KINDS: Final = {"Open MPI": "Open MPI", "hydra": "MPICH", None: "of unknown make"}


@final
@dataclass(frozen=True)
class Library:
    """The MPI library that was loaded, or the ``error`` because of which none was.

    ``description`` is the library's own text, of ``MPI_Get_library_version``.
    """

    description: str = ""
    path: Path | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """The name and version of the library."""
        return library_name(self.description)


@final
@dataclass(frozen=True)
class Launcher:
    """An ``mpiexec`` on the PATH; ``description`` is what it prints as its version."""

    path: Path
    description: str

    @property
    def name(self) -> str:
        """The kind of the launcher, and its version if it prints one."""
        version = re.search(r"\d+\.\d+(\.\d+)*", self.description)
        kind = (
            "Intel MPI" if "intel" in self.description.lower() else KINDS[family(self.description)]
        )
        return f"{kind} {version[0]}" if version else kind


def family(description: str) -> str | None:
    """Return the family of a library or launcher; those of one family work together.

    MPICH, Intel MPI and MVAPICH all speak the protocol of MPICH's launcher, Hydra.

    >>> family("MPICH Version: 5.0"), family("mpiexec (Open MPI) 5.0.11"), family("bash 5")
    ('hydra', 'Open MPI', None)
    """
    text = description.lower()
    if any(word in text for word in OPEN_MPI):
        return "Open MPI"
    return "hydra" if any(word in text for word in HYDRA) else None


def load_library(load: Callable[[], str]) -> Library:
    """Load the MPI library by ``load``, which returns the library's own description.

    A ``KavgError`` of ``load`` becomes the library's ``error``: kavg works without MPI.
    """
    try:
        description = load()
    except KavgError as error:
        return Library(error=str(error))
    return Library(description, loaded_library_path())


def find_launcher() -> Launcher | None:
    """Find the ``mpiexec`` on the PATH and ask it for its version; None if there is none."""
    found = shutil.which("mpiexec")
    if found is None:
        return None
    try:
        job = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Launcher(Path(found), f"its version is unknown: {error}")
    return Launcher(Path(found), job.stdout + job.stderr)


def check_library(mpi: Library) -> Finding:
    """Report which MPI library was loaded and from where; none is fine too.

    One that is installed but not found by mpi4py is wrong: its launcher would start lone processes.
    """
    unfound = find_library_file() if mpi.error else None
    if unfound is not None:
        found = f"{unfound} is there, but mpi4py does not find it"
        return wrong("MPI library", found, f"{advise_on_library()}\nor {INSTALL}")
    if mpi.error:
        return fine("MPI library", "none could be loaded; kavg runs in one process", INSTALL)
    place = f", {mpi.path}" if mpi.path else ""
    return fine("MPI library", f"{mpi.name}{place}")


def check_launcher(mpi: Library, mpiexec: Launcher | None) -> Finding:
    """Check that the ``mpiexec`` on the PATH is of the library's family.

    Ranks that a launcher of another family starts do not connect: each has a world of its own.
    """
    if mpiexec is None:
        return _check_no_launcher(mpi)
    found = f"{mpiexec.path}, {mpiexec.name}"
    if mpi.error:
        return fine("mpiexec", f"{found}; no library to compare it with")
    ours, theirs = family(mpi.description), family(mpiexec.description)
    if ours is None or theirs is None:
        return fine("mpiexec", f"{found}; only a run shows whether it fits the library")
    if ours != theirs:
        return wrong("mpiexec", f"{found}; the library is {mpi.name}", fitting_launcher(mpi))
    return fine("mpiexec", f"{found}; fits the library")


def _check_no_launcher(mpi: Library) -> Finding:
    srun = shutil.which("srun")
    if mpi.error:
        return fine("mpiexec", "none on the PATH")
    # A site with Slurm may do without mpiexec.
    if srun:
        return fine("mpiexec", f"none on the PATH; {srun} is there")
    return wrong("mpiexec", "none on the PATH", fitting_launcher(mpi))


def fitting_launcher(mpi: Library) -> str:
    """Advise where to get a launcher that works with the library."""
    if mpi.error:
        return INSTALL
    mpiexec = mpiexec_beside(mpi.path)
    if mpiexec:
        return f"export PATH={mpiexec.parent}:$PATH"
    return "load the module, or install the package, whose mpiexec came with the library"
