"""Versions, cores, BLAS threads and room on the disk."""

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
from kavg.cli.environment import installed, source
from kavg.engine.blas_threads import loaded_libraries, one_blas_thread
from kavg.version import __version__

ROOM: Final = 200 * 2**20
"""Bytes that a run folder with its figures, beside an older one, may well take."""

SLOTS: Final = "cores, slots"

REQUIREMENT: Final = re.compile(r"([\w.-]+)>=([\d.]+)")


def about_versions() -> Finding:
    """Python, kavg and the libraries it needs."""
    needed = requirements()
    have = {name: installed(name) for name in needed}
    words = ", ".join(f"{name} {version or 'missing'}" for name, version in have.items())
    ours = f"Python {platform.python_version()}, kavg {__version__} of source {source()}"
    found = f"{ours}, {words}"
    old = [
        f"'{name}>={least}'"
        for name, least in needed.items()
        if numbers(have[name] or "0") < numbers(least)
    ]
    if old:
        return wrong("versions", found, f"pip install {' '.join(old)}")
    return fine("versions", found)


def requirements() -> dict[str, str]:
    """The packages that kavg needs, each with its least version, where kavg is installed."""
    try:
        lines = requires("kavg") or []
    except PackageNotFoundError:
        return dict.fromkeys(("numpy", "scipy", "mpi4py", "pydantic", "typer"), "0")
    plain = [REQUIREMENT.fullmatch(line) for line in lines]
    return {match[1]: match[2] for match in plain if match}


def numbers(version: str) -> list[int]:
    """The whole numbers of a version.

    >>> numbers("2.10.0rc1") > numbers("2.9")
    True
    """
    return [int(part) for part in re.findall(r"\d+", version)]


def granted(limit: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """How many cores a container grants; infinite where there is no limit."""
    try:
        quota, period = limit.read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def cores() -> set[int]:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def about_cores(ranks: int, here: int, mpiexec: Launcher | None) -> Finding:
    """Slots: ``ranks`` of this job are on this machine, which has ``here`` cores for them."""
    found = f"{here} cores for this {'job' if ranks > 1 else 'process'}"
    if ranks > here:
        return wrong(SLOTS, f"{found}, {ranks} ranks", f"use {here} ranks a machine or fewer")
    if ranks > 1:
        return fine(SLOTS, f"{found}, {ranks} ranks")
    if granted() < here:
        fix = "ask the container for more, or use that many ranks"
        return wrong(SLOTS, f"{found}, but the container grants {granted():g}", fix)
    if mpiexec is not None and family(mpiexec.words) == "Open MPI":
        hint = f"Open MPI refuses more than {here}: mpiexec --oversubscribe starts them, slower"
        return fine(SLOTS, f"{found}, so up to {here} ranks", hint)
    return fine(SLOTS, f"{found}, so up to {here} ranks; more would run, slower")


def about_blas(ranks: int, here: int) -> Finding:
    """BLAS threads times ranks against cores."""
    with one_blas_thread():
        held = [found for found in loaded_libraries().info() if found["user_api"] == "blas"]
    free = [found for found in loaded_libraries().info() if found["user_api"] == "blas"]
    if not held:
        return unknown_blas(os.environ)
    names = ", ".join(f"{one['internal_api']} {one['version']}" for one in held)
    most = max(one["num_threads"] for one in held)
    wants = max(one["num_threads"] for one in free)
    found = f"{names} takes {wants} on its own; kavg holds it to {most} a rank"
    if most > 1:
        return wrong("BLAS threads", found, "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1")
    filled = f"{ranks} ranks x 1 thread" if ranks > 1 else f"{here} ranks x 1 thread fit"
    return fine("BLAS threads", f"{found}: {filled} on {here} cores")


def unknown_blas(variables: Mapping[str, str]) -> Finding:
    """A BLAS whose threads cannot be counted."""
    names = ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "MKL_NUM_THREADS")
    found = "NumPy's BLAS is not known to threadpoolctl"
    given = [f"{name}=1" for name in names if variables.get(name) == "1"]
    if given:
        return fine("BLAS threads", f"{found}; {given[0]} holds it to one")
    return wrong("BLAS threads", found, f"export {names[0]}=1 {names[1]}=1")


def about_writing(folder: Path) -> Finding:
    """May files be made here, where ``runs`` will lie?"""
    name = str(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        with tempfile.TemporaryFile():
            pass
    except OSError as error:
        return wrong("write access", f"{name}: {error.strerror}", "cd elsewhere, or use --out DIR")
    return fine("write access", f"{name} and {tempfile.gettempdir()}")


def about_room(folder: Path) -> Finding:
    """Is there room on the disk?"""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return wrong("disk space", f"{folder}: {error.strerror}", "cd elsewhere, or use --out DIR")
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    if free < ROOM:
        return wrong("disk space", found, "make room, or use --out DIR on another disk")
    return fine("disk space", found)
