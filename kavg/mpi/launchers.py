"""What a launcher promised this process, and what to say where MPI does not keep it.

A launcher of one MPI and the library of another do not find each other: N copies start, and each
believes it is alone.  Each would do the whole work and write the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.errors import KavgError

SLURM: Final = "Slurm's srun"

COUNTED: Final = (
    ("Open MPI", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
    ("MVAPICH", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
    ("PMI", "PMI_SIZE", "PMI_RANK"),
    ("Flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK"),
    ("jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"),
    (SLURM, "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
)
"""Launchers, with the variables for how many copies were started and which one this is.

Not ``SLURM_NTASKS``: a batch script has it too, and is one process.
"""

NUMBERED: Final = (
    ("PMIx", "PMIX_RANK"),
    ("PALS", "PALS_RANKID"),
)
"""Launchers that say only which copy this is."""

SPEAK_PMI: Final = {
    "I_MPI_HYDRA_TOPOLIB": "Intel MPI's mpiexec",
    "HYDI_CONTROL_FD": "MPICH's mpiexec",
    "PALS_RANKID": "PALS",
    "SLURM_STEP_NUM_TASKS": SLURM,
}
"""Variables that tell launchers apart which all set ``PMI_SIZE``; the first that is set decides."""

OF_ONE: Final = "SLURM_STEP_NUM_TASKS"
"""Set for a single task too, which is then no MPI job."""


@final
@dataclass(frozen=True)
class Promise:
    """``size`` copies (None: not known) were started, and this is number ``rank``."""

    launcher: str
    variable: str
    size: int | None
    rank: int


def says_it(promised: Promise | None) -> bool:
    """Is it this process's part to say what is wrong, so that it is said once?

    Copy 0 of an unknown number cannot know that anything is wrong; copy 1 can.
    """
    return promised is None or promised.rank == (0 if promised.size is not None else 1)


def promise(variables: Mapping[str, str] = os.environ) -> Promise | None:
    """What a launcher promised, or None if none started this process.

    >>> promise({"PMI_SIZE": "4", "PMI_RANK": "2"})
    Promise(launcher='a launcher that speaks PMI', variable='PMI_SIZE', size=4, rank=2)
    """
    for launcher, of, at in COUNTED:
        size = number(variables, of)
        if size is not None and (of != OF_ONE or size > 1):
            name = pmi_launcher(variables) if of == "PMI_SIZE" else launcher
            return Promise(name, of, size, number(variables, at) or 0)
    for launcher, at in NUMBERED:
        rank = number(variables, at)
        if rank is not None:
            return Promise(launcher, at, None, rank)
    return None


def pmi_launcher(variables: Mapping[str, str]) -> str:
    """Which of the launchers that speak PMI this is."""
    found = (name for variable, name in SPEAK_PMI.items() if variable in variables)
    return next(found, "a launcher that speaks PMI")


def number(variables: Mapping[str, str], name: str) -> int | None:
    """A variable that holds a whole number; anything else is as good as none."""
    text = variables.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else None


def refuse_strangers(library: str, promised: Promise | None) -> None:
    """Refuse, before MPI starts, a library that would end the process without explanation.

    An MPICH that was built without PMIx does so where Open MPI launched it.

    >>> refuse_strangers("MPICH Version: 5.0", None)
    """
    if promised is None or promised.launcher != "Open MPI" or not library.startswith("MPICH"):
        return
    built = [line for line in library.splitlines() if line.startswith("MPICH configure")]
    if built and "pmix" not in built[0].lower():
        raise KavgError(
            f"{started(promised)}, but the MPI library cannot talk to it:\n"
            + advice(library, promised)
        )


def refuse_loneliness(size: int, library: str, promised: Promise | None) -> None:
    """Refuse a world of one where more were promised.

    >>> refuse_loneliness(1, "MPICH Version: 5.0", Promise("jsrun", "JSM_NAMESPACE_SIZE", 1, 0))
    """
    if size > 1 or promised is None:
        return
    if promised.size is None and promised.rank == 0:
        return
    if promised.size is None or promised.size > 1:
        raise KavgError(
            f"{started(promised)}, but each believes it is alone in its MPI world:\n"
            + advice(library, promised)
        )


def no_library(reason: str, promised: Promise | None) -> KavgError:
    """The fault of a launcher without any MPI library."""
    begun = started(promised) if promised else "MPI is asked for"
    first = reason.splitlines()[0] if reason else "?"
    return KavgError(
        f"{begun}, but no MPI library could be loaded ({first}); load the site's MPI, or "
        "pip install 'kavg[mpich]', or start without a launcher; kavg doctor looks closer"
    )


def started(promised: Promise) -> str:
    """Who started how many copies.

    >>> started(Promise("Open MPI", "OMPI_COMM_WORLD_SIZE", 4, 0))
    'Open MPI started 4 copies (OMPI_COMM_WORLD_SIZE=4)'
    """
    which = f"{promised.size} copies" if promised.size else f"this as copy {promised.rank}"
    value = promised.size or promised.rank
    return f"{promised.launcher} started {which} ({promised.variable}={value})"


def advice(library: str, promised: Promise) -> str:
    """Which library, and what to do."""
    path = loaded_path()
    slurm = "or try srun --mpi=pmi2 or --mpi=pmix; srun --mpi=list shows what there is"
    lines = [
        f"the library loaded is {named(library)}" + (f", {path}" if path else ""),
        "use the launcher of that library" + beside(path),
        slurm if promised.launcher == SLURM else "or load the library of this launcher",
        "kavg doctor, without a launcher, looks closer",
        f"(separate runs are meant? start each with {promised.variable} unset)",
    ]
    return "\n".join(f"  {line}" for line in lines)


def named(library: str) -> str:
    """A library's name and version from what it says of itself.

    >>> named("MPICH Version:      5.0.2" + chr(10) + "MPICH Release date: ...")
    'MPICH 5.0.2'
    """
    first = library.strip("\0 \n").split("\n")[0].split(", package")[0]
    return " ".join(first.replace("Version:", " ").split())


def beside(path: Path | None) -> str:
    """The ``mpiexec`` that came with the library, where it lies in its usual place."""
    if path is None:
        return ""
    found = [up / "bin" / "mpiexec" for up in list(path.parents)[:3]]
    launchers = [str(each) for each in found if each.is_file()]
    return f", {launchers[0]}" if launchers else ""


def loaded_path(maps: Path = Path("/proc/self/maps")) -> Path | None:
    """The file of the MPI library in this process, where the system tells."""
    try:
        lines = maps.read_text().splitlines()
    except OSError:
        return None
    files = (Path(line.split(maxsplit=5)[-1]) for line in lines if "libmpi" in line)
    return next((file for file in files if file.name.startswith("libmpi")), None)
