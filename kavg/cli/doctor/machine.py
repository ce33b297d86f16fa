"""Check versions, cores, BLAS threads, memory, write access and disk space."""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Final

from kavg.cli.doctor.finding import Finding, fine, wrong
from kavg.cli.doctor.mpi_library import Launcher, family
from kavg.cli.environment import installed_version, source_digest
from kavg.engine.blas_threads import get_blas_controller, limit_blas_to_one_thread
from kavg.mpi.local_ranks import count_local_ranks
from kavg.storage.limits import available_memory, format_bytes, list_memory_limits
from kavg.version import __version__

ROOM: Final = 200 * 2**20
"""Bytes that a run folder with its figures, beside an older one, may take."""
MEMORY: Final = 200 * 2**20
"""Bytes that a small run with its figures takes."""

SLOTS: Final = "cores, slots"

REQUIREMENT: Final = re.compile(r"([\w.-]+)>=([\d.]+)")
"""A requirement in kavg's metadata; those of extras have a marker behind it."""


def check_versions() -> Finding:
    """Check the libraries that kavg needs against the lowest versions it works with.

    The row also names Python and kavg itself, as bug reports need them.
    """
    needed = _requirements()
    have = {name: installed_version(name) for name in needed}
    words = ", ".join(f"{name} {version or 'missing'}" for name, version in have.items())
    ours = f"Python {platform.python_version()}, kavg {__version__} of source {source_digest()}"
    found = f"{ours}, {words}"
    old = [
        f"'{name}>={least}'"
        for name, least in needed.items()
        if split_version(have[name] or "0") < split_version(least)
    ]
    if old:
        return wrong("versions", found, f"pip install {' '.join(old)}")
    return fine("versions", found)


def _requirements() -> dict[str, str]:
    """The packages that kavg needs, with their lowest versions if kavg is installed."""
    try:
        lines = requires("kavg") or []
    except PackageNotFoundError:
        return dict.fromkeys(("numpy", "scipy", "mpi4py", "pydantic", "typer"), "0")
    plain = [REQUIREMENT.fullmatch(line) for line in lines]
    return {match[1]: match[2] for match in plain if match}


def split_version(version: str) -> list[int]:
    """Split a version into its numbers, to compare it with another one.

    >>> split_version("2.10.0rc1") > split_version("2.9")
    True
    """
    return [int(part) for part in re.findall(r"\d+", version)]


def granted_cores(limit: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """Read how many cores a container grants; infinite where there is no limit.

    It may be a fraction: the quota of processor time a period, of Linux' control groups.
    """
    try:
        quota, period = limit.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def usable_cores() -> set[int]:
    """Return the numbers of the cores that this process may use."""
    # A launcher may have bound this rank to some of the cores; macOS does not say.
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def check_cores(ranks: int, here: int, mpiexec: Launcher | None) -> Finding:
    """Check that ranks have a core each.

    ``ranks`` of this job are on this machine, and may use ``here`` of its cores together.  For one
    rank alone, the row says how many there is room for.
    """
    found = f"{here} cores for this {'job' if ranks > 1 else 'process'}"
    if ranks > here:
        return wrong(SLOTS, f"{found}, {ranks} ranks", f"use {here} ranks a machine or fewer")
    if ranks > 1:
        return fine(SLOTS, f"{found}, {ranks} ranks")
    if granted_cores() < here:
        fix = "ask the container for more, or use that many ranks"
        return wrong(SLOTS, f"{found}, but the container grants {granted_cores():g}", fix)
    if mpiexec is not None and family(mpiexec.description) == "Open MPI":
        hint = f"Open MPI refuses more than {here}: mpiexec --oversubscribe starts them, slower"
        return fine(SLOTS, f"{found}, so up to {here} ranks", hint)
    return fine(SLOTS, f"{found}, so up to {here} ranks; more would run, slower")


def check_blas(ranks: int, here: int) -> Finding:
    """Check that BLAS threads times ranks do not exceed the cores of this machine.

    With more threads than one a rank, the last bits of a product would also depend on how many
    there are.
    """
    with limit_blas_to_one_thread():
        held = [found for found in get_blas_controller().info() if found["user_api"] == "blas"]
    free = [found for found in get_blas_controller().info() if found["user_api"] == "blas"]
    if not held:
        return check_unknown_blas(os.environ)
    names = ", ".join(f"{one['internal_api']} {one['version']}" for one in held)
    most = max(one["num_threads"] for one in held)
    wants = max(one["num_threads"] for one in free)
    found = f"{names} takes {wants} on its own; kavg holds it to {most} a rank"
    if most > 1:
        return wrong("BLAS threads", found, "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1")
    filled = f"{ranks} ranks x 1 thread" if ranks > 1 else f"{here} ranks x 1 thread fit"
    return fine("BLAS threads", f"{found}: {filled} on {here} cores")


def check_unknown_blas(variables: Mapping[str, str]) -> Finding:
    """Check the variables that limit a BLAS whose threads cannot be counted.

    ``threadpoolctl`` does not know Apple's Accelerate, for instance.
    """
    names = ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "MKL_NUM_THREADS")
    found = "NumPy's BLAS is not known to threadpoolctl"
    given = [f"{name}=1" for name in names if variables.get(name) == "1"]
    if given:
        return fine("BLAS threads", f"{found}; {given[0]} holds it to one")
    return wrong("BLAS threads", found, f"export {names[0]}=1 {names[1]}=1")


def check_memory() -> Finding:
    """Check that a small run has the memory it takes; list all limits, the smallest first.

    What is available now is listed too, and refuses nothing: it is another number a moment later.
    """
    limits = list_memory_limits(count_local_ranks())
    found = ", ".join(map(str, limits)) or "the system does not report it"
    available = available_memory()
    if math.isfinite(available):
        found += f"; {format_bytes(available)} available now"
    if limits and limits[0].share < MEMORY:
        return wrong("memory", found, "ask the container, the batch system or the shell for more")
    return fine("memory", found)


def check_write_access(folder: Path) -> Finding:
    """Check that files can be created in ``folder``, where ``runs/`` will be, and for figures.

    Nothing is left behind: the files have no name.
    """
    name = str(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        with tempfile.TemporaryFile():
            pass
    except OSError as error:
        return wrong("write access", f"{name}: {error.strerror}", "cd elsewhere, or use --out DIR")
    return fine("write access", f"{name} and {tempfile.gettempdir()}")


def check_disk_space(folder: Path) -> Finding:
    """Check that the disk of ``folder`` has room for a run folder beside an older one."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return wrong("disk space", f"{folder}: {error.strerror}", "cd elsewhere, or use --out DIR")
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    if free < ROOM:
        return wrong("disk space", found, "free some space, or use --out DIR on another disk")
    return fine("disk space", found)
