"""The MPI library of this process, and the launcher on the PATH."""

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

INSTALL: Final = "pip install 'kavg[mpich]', or load the site's MPI, for several ranks"
OPEN_MPI: Final = ("open mpi", "openrte", "prrte", "openmpi")
HYDRA: Final = ("hydra", "mpich", "intel(r) mpi", "mvapich")
KINDS: Final = {"Open MPI": "Open MPI", "hydra": "MPICH", None: "of unknown make"}


@final
@dataclass(frozen=True)
class Library:
    """The MPI library that was loaded, in its own words, or why there is none."""

    words: str = ""
    path: Path | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        """Name and version."""
        return library_name(self.words)


@final
@dataclass(frozen=True)
class Launcher:
    """An ``mpiexec`` and what it says of itself."""

    path: Path
    words: str

    @property
    def name(self) -> str:
        """Its kind and version, where it tells."""
        version = re.search(r"\d+\.\d+(\.\d+)*", self.words)
        kind = "Intel MPI" if "intel" in self.words.lower() else KINDS[family(self.words)]
        return f"{kind} {version[0]}" if version else kind


def family(words: str) -> str | None:
    """Whose launchers and libraries find each other.

    >>> family("MPICH Version: 5.0"), family("mpiexec (Open MPI) 5.0.11"), family("bash 5")
    ('hydra', 'Open MPI', None)
    """
    said = words.lower()
    if any(word in said for word in OPEN_MPI):
        return "Open MPI"
    return "hydra" if any(word in said for word in HYDRA) else None


def loaded_library(load: Callable[[], str]) -> Library:
    """What ``load``, which gives a library's words on itself, leads to."""
    try:
        words = load()
    except KavgError as fault:
        return Library(fault=str(fault))
    return Library(words, loaded_library_path())


def launcher() -> Launcher | None:
    """The ``mpiexec`` on the PATH."""
    found = shutil.which("mpiexec")
    if found is None:
        return None
    try:
        job = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Launcher(Path(found), f"does not tell its version: {error}")
    return Launcher(Path(found), job.stdout + job.stderr)


def about_library(mpi: Library) -> Finding:
    """Which MPI library was loaded and from where."""
    if mpi.fault:
        return fine("MPI library", "none could be loaded; kavg runs in one process", INSTALL)
    place = f", {mpi.path}" if mpi.path else ""
    return fine("MPI library", f"{mpi.name}{place}")


def about_launcher(mpi: Library, mpiexec: Launcher | None) -> Finding:
    """Does the ``mpiexec`` on the PATH belong to the library?"""
    if mpiexec is None:
        return no_launcher(mpi)
    found = f"{mpiexec.path}, {mpiexec.name}"
    if mpi.fault:
        return fine("mpiexec", f"{found}; no library to hold it against")
    ours, theirs = family(mpi.words), family(mpiexec.words)
    if ours is None or theirs is None:
        return fine("mpiexec", f"{found}; whether it belongs to the library, only a run tells")
    if ours != theirs:
        return wrong("mpiexec", f"{found}; the library is {mpi.name}", belonging(mpi))
    return fine("mpiexec", f"{found}; belongs to the library")


def no_launcher(mpi: Library) -> Finding:
    """No ``mpiexec`` on the PATH."""
    srun = shutil.which("srun")
    if mpi.fault:
        return fine("mpiexec", "none on the PATH")
    if srun:
        return fine("mpiexec", f"none on the PATH; {srun} is there")
    return wrong("mpiexec", "none on the PATH", belonging(mpi))


def belonging(mpi: Library) -> str:
    """How to come by the launcher of a library."""
    if mpi.fault:
        return INSTALL
    mpiexec = mpiexec_beside(mpi.path)
    if mpiexec:
        return f"export PATH={mpiexec.parent}:$PATH"
    return "load the module, or install the package, whose mpiexec came with the library"
