"""Detection of the MPI launcher, and errors for an MPI library that does not work with it.

A launcher of one MPI and the library of another cannot connect: N copies start, and each is rank 0
of a world of one.  Each copy would then do the whole work and write the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, final

from kavg.errors import KavgError
from kavg.mpi.shared_libraries import advise_on_library

SLURM: Final = "Slurm's srun"
OPEN_MPI: Final = "Open MPI"


class _Launcher(NamedTuple):
    """A launcher, with the variables that hold the number of copies and the number of this copy.

    ``size_variable`` is None for launchers that set the number of the copy only.
    """

    name: str
    size_variable: str | None
    rank_variable: str


LAUNCHERS: Final = (
    _Launcher(OPEN_MPI, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    _Launcher("MVAPICH", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
    _Launcher("PMI", "PMI_SIZE", "PMI_RANK"),
    _Launcher("Flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"),
    _Launcher("jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"),
    # Not SLURM_NTASKS: a batch script has it too, and is one process.
    _Launcher(SLURM, "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    _Launcher("PMIx", None, "PMIX_RANK"),
    _Launcher("PALS", None, "PALS_RANKID"),
)
"""The launchers of MPI jobs; the first whose variable is set started this process."""

PMI_LAUNCHERS: Final = {
    "I_MPI_HYDRA_TOPOLIB": "Intel MPI's mpiexec",
    "HYDI_CONTROL_FD": "MPICH's mpiexec",
    "PALS_RANKID": "PALS",
    "SLURM_STEP_NUM_TASKS": SLURM,
}
"""Variables that distinguish the launchers that all set ``PMI_SIZE``; the first that is set."""


@final
@dataclass(frozen=True)
class Launch:
    """How a launcher started this process: as number ``rank`` of ``size`` copies.

    ``size`` is None where the launcher sets no such variable; ``variable`` is the one it does set.
    """

    launcher: str
    variable: str
    size: int | None
    rank: int


def detect_launch(variables: Mapping[str, str] = os.environ) -> Launch | None:
    """Return the launch that environment variables describe, or None if there was none.

    >>> detect_launch({"PMI_SIZE": "4", "PMI_RANK": "2"})
    Launch(launcher='a PMI launcher', variable='PMI_SIZE', size=4, rank=2)
    """
    launches = (_launch_by(launcher, variables) for launcher in LAUNCHERS)
    return next((launch for launch in launches if launch is not None), None)


def _launch_by(launcher: _Launcher, variables: Mapping[str, str]) -> Launch | None:
    name, size_variable, rank_variable = launcher
    rank = _whole_number(variables, rank_variable)
    if size_variable is None:
        return None if rank is None else Launch(name, rank_variable, None, rank)
    size = _whole_number(variables, size_variable)
    # Slurm sets its variables for a single task too, which is then no MPI job.
    if size is None or (name == SLURM and size == 1):
        return None
    name = _pmi_launcher(variables) if size_variable == "PMI_SIZE" else name
    return Launch(name, size_variable, size, rank or 0)


def _pmi_launcher(variables: Mapping[str, str]) -> str:
    names = (name for variable, name in PMI_LAUNCHERS.items() if variable in variables)
    return next(names, "a PMI launcher")


def _whole_number(variables: Mapping[str, str], name: str) -> int | None:
    text = variables.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else None


def is_reporting_copy(launch: Launch | None) -> bool:
    """Return True for the one copy that reports an error of the launch on behalf of all.

    Copy 0 of an unknown number cannot detect such an error, as it may be alone; copy 1 can.
    """
    return launch is None or launch.rank == (0 if launch.size is not None else 1)


def validate_library(library: str, launch: Launch | None) -> None:
    """Raise KavgError if initializing this MPI library would end the process without a message.

    An MPICH that was built without PMIx does so when Open MPI launched it.

    >>> validate_library("MPICH Version: 5.0", None)
    """
    if launch is None or launch.launcher != OPEN_MPI or not library.startswith("MPICH"):
        return
    options = [line for line in library.splitlines() if line.startswith("MPICH configure")]
    if options and "pmix" not in options[0].lower():
        raise KavgError(
            f"{_describe(launch)}, but the MPI library cannot connect to it:\n"
            + _advice(library, launch)
        )


def validate_world_size(size: int, library: str, launch: Launch | None) -> None:
    """Raise KavgError if the MPI world has one rank although several copies were started.

    >>> validate_world_size(1, "MPICH Version: 5.0", Launch("jsrun", "JSM_NAMESPACE_SIZE", 1, 0))
    """
    if size > 1 or launch is None:
        return
    several = launch.size > 1 if launch.size is not None else launch.rank > 0
    if several:
        raise KavgError(
            f"{_describe(launch)}, but each copy has an MPI world of its own:\n"
            + _advice(library, launch)
        )


def missing_library_error(reason: str, launch: Launch | None) -> KavgError:
    """Return the error for a process that needs MPI where no MPI library could be loaded.

    ``reason`` is the message of the failed import, of which the first line is shown.
    """
    cause = _describe(launch) if launch else "MPI is needed"
    first = reason.splitlines()[0] if reason else "unknown reason"
    remedy = advise_on_library() or "load the site's MPI"
    return KavgError(
        f"{cause}, but no MPI library could be loaded ({first}); {remedy}, or "
        "pip install 'kavg[mpich]', or start without a launcher; kavg doctor shows more"
    )


def _describe(launch: Launch) -> str:
    """Return "Open MPI started 4 copies (OMPI_COMM_WORLD_SIZE=4)" or the like."""
    copies = f"{launch.size} copies" if launch.size else f"this process as copy {launch.rank}"
    value = launch.size or launch.rank
    return f"{launch.launcher} started {copies} ({launch.variable}={value})"


def _advice(library: str, launch: Launch) -> str:
    path = loaded_library_path()
    mpiexec = mpiexec_beside(path)
    slurm = "or try srun --mpi=pmi2 or --mpi=pmix; srun --mpi=list shows what is available"
    lines = [
        f"the loaded library is {library_name(library)}" + (f", {path}" if path else ""),
        "use the launcher of that library" + (f", {mpiexec}" if mpiexec else ""),
        slurm if launch.launcher == SLURM else "or load the library of this launcher",
        "run kavg doctor without a launcher for details",
        f"(to start separate runs on purpose, unset {launch.variable} for each)",
    ]
    return "\n".join(f"  {line}" for line in lines)


def library_name(library: str) -> str:
    """Return name and version from the text of ``MPI_Get_library_version``.

    >>> library_name("MPICH Version:      5.0.2" + chr(10) + "MPICH Release date: ...")
    'MPICH 5.0.2'
    """
    first = library.strip("\0 \n").split("\n")[0].split(", package")[0]
    return " ".join(first.replace("Version:", " ").split())


def mpiexec_beside(library: Path | None) -> Path | None:
    """Return the ``mpiexec`` installed with a library, or None.

    It is looked for in ``bin`` beside ``lib`` and up to two folders higher, as some systems put
    libraries in ``lib/x86_64-linux-gnu``.
    """
    if library is None:
        return None
    candidates = [folder / "bin" / "mpiexec" for folder in list(library.parents)[:3]]
    return next((path for path in candidates if path.is_file()), None)


def loaded_library_path(maps: Path = Path("/proc/self/maps")) -> Path | None:
    """Return the file of the MPI library that this process has loaded, or None.

    Read from the process's memory map, which only Linux has: mpi4py does not say which file it is.
    """
    try:
        lines = maps.read_text().splitlines()
    except OSError:
        return None
    files = (Path(line.split(maxsplit=5)[-1]) for line in lines if "libmpi" in line)
    return next((file for file in files if file.name.startswith("libmpi")), None)
