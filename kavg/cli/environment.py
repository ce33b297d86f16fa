"""Description of the environment of a run: versions, machine, ranks, launcher."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from kavg.base import Communicator
from kavg.engine.agreement import decode_text, encode_text, group_ranks, name_ranks
from kavg.engine.blas_threads import get_blas_controller
from kavg.mpi.comm_world import mpi_version
from kavg.mpi.launchers import detect_launch
from kavg.portability import ARITHMETIC, SameBits, is_portable
from kavg.version import __version__

PACKAGES: Final = (
    "kavg",
    "numpy",
    "scipy",
    "mpi4py",
    "mpich",
    "openmpi",
    "pydantic",
    "matplotlib",
    "scikit-learn",
    "mnist1d",
)
"""Packages whose versions are recorded."""

BITS: Final = ("machine", "processor", "c_library", "simd", "blas")
"""The facts of a machine that last bits may depend on (docs/design.md, What a digest promises)."""

SESSION: Final = ("time", *BITS, "ranks", "mpi", "source", "arithmetic", "versions")
"""The facts that a checkpoint stores of each session in which a part of its run was computed."""


def describe_environment(ranks: int, mpi: str | None) -> dict[str, Any]:
    """Build the content of ``environment.json``: all that may explain why two runs differ.

    ``mpi`` names the MPI library, if there is one.
    """
    launch = detect_launch()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "c_library": c_library_name(),
        "simd": " ".join(simd_extensions()),
        "blas": blas_name(),
        "cores": os.cpu_count(),  # of the machine; a launcher may bind ranks to fewer
        "ranks": ranks,
        "launcher": launch.launcher if launch else None,
        "mpi": mpi,
        "source": source_digest(),
        "arithmetic": ARITHMETIC,
        "versions": {
            **{name: known for name in PACKAGES if (known := installed_version(name))},
            "kavg": __version__,
            "numpy": np.__version__,
        },
    }


@cache
def source_digest() -> str:
    """Digest kavg's own files: the first 12 hexadecimal digits of their SHA-256.

    Between releases, different sources have the same version number.

    >>> len(source_digest())
    12
    """
    sha, root = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        sha.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:12]


def describe_session(ranks: int) -> dict[str, Any]:
    """Describe this session for the checkpoints and the run folder of a resumed run.

    Fewer facts than ``describe_environment``, as one is stored for each session of a run.
    """
    facts = describe_environment(ranks, mpi_version())
    return {key: facts[key] for key in SESSION}


def list_sessions(recorded: Mapping[str, Any]) -> list[Any]:
    """List the facts of all sessions of a run from its ``environment.json``; none if it is empty.

    >>> list_sessions({"ranks": 4, "earlier": [{"ranks": 2}]})
    [{'ranks': 2}, {'ranks': 4}]
    """
    earlier = recorded.get("earlier")
    last = {key: value for key, value in recorded.items() if key != "earlier"}
    return [*(earlier if isinstance(earlier, list) else []), *([last] if last else [])]


def list_bit_facts(same_bits: SameBits) -> tuple[str, ...]:
    """List the facts of a machine that the bits of a run with this promise may depend on.

    >>> list_bit_facts("any machine")
    ('machine',)
    """
    # Compared on x86-64 alone, so another architecture is always said.
    return BITS[:1] if is_portable(same_bits) else BITS


def describe_versions(same_bits: SameBits = "unknown") -> dict[str, Any]:
    """Describe the versions and the machine that the bits of a run with this promise depend on.

    If one of them has changed since the last session, ``kavg resume`` warns.
    """
    facts = describe_environment(1, None)
    machine = {key: facts[key] for key in ("source", "arithmetic", *list_bit_facts(same_bits))}
    return {"kavg": __version__, "numpy": np.__version__, **machine}


def list_unlike_ranks(comm: Communicator, same_bits: SameBits) -> list[str]:
    """Describe the machines of ranks if last bits may differ between them; one ``Allgather``.

    The digest of a run then depends on which rank computes what.  Empty if all are alike in what a
    run with this promise depends on.
    """
    versions = describe_versions(same_bits)
    own = ", ".join(f"{name} {versions[name]}" for name in list_bit_facts(same_bits))
    groups = group_ranks(comm, encode_text(own)) if comm.Get_size() > 1 else {}
    if len(groups) < 2:
        return []
    return [
        "ranks run on machines whose last bits may differ, and so may those of another number:",
        *(f"{name_ranks(ranks)}: {decode_text(content)}" for content, ranks in groups.items()),
    ]


@cache
def installed_version(name: str) -> str | None:
    """Look up the version of a package, once a process; None where it is not installed.

    To parse the metadata of all packages takes as long as a short run, and a run asks three times.
    """
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor_name() -> str:
    """Look up the name of the processor, which the standard library does not know on Linux."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("model name")]
    except OSError:
        return platform.processor()
    return lines[0].partition(":")[2].strip() if lines else platform.processor()


def c_library_name() -> str:
    """Look up the C library, whose functions NumPy uses: ``"glibc 2.36"``.

    It is the one that this process has loaded, not the one that Python was built with.
    """
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):  # not glibc
        name = None
    if name:
        return name
    return f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else "not glibc"


def simd_extensions() -> list[str]:
    """List the vector instructions that NumPy uses here: its baseline, and those it found."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return [*extensions.get("baseline", ()), *extensions.get("found", ())]


def blas_name() -> str:
    """Look up NumPy's BLAS with its version and kernel: ``"openblas 0.3.29 SkylakeX"``.

    OpenBLAS chooses its kernel when it is loaded, by the processor or ``OPENBLAS_CORETYPE``.
    """
    found = [
        " ".join(str(one[key]) for key in ("internal_api", "version", "architecture") if key in one)
        for one in get_blas_controller().info()
        # SciPy brings one of its own, which is loaded or not, and which runs do not use.
        if one["user_api"] == "blas" and "scipy.libs" not in Path(one["filepath"]).parts
    ]
    if found:
        return ", ".join(found)
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built.get('version', 'of unknown version')}"
