"""What a run ran on: versions, machine, ranks, launcher."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from kavg.mpi.launchers import detect_launch
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
)


SESSION: Final = ("time", "machine", "processor", "ranks", "source", "versions")
"""What of it is kept of each part of a run that was interrupted."""


def environment(ranks: int, mpi: str | None) -> dict[str, Any]:
    """What is worth knowing when two runs differ."""
    launch = detect_launch()
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "ranks": ranks,
        "launcher": launch.launcher if launch else None,
        "mpi": mpi,
        "source": source(),
        "versions": {
            **{name: found for name in PACKAGES if (found := installed(name))},
            "kavg": __version__,
            "numpy": np.__version__,
        },
    }


@cache
def source() -> str:
    """The first digits of the SHA-256 of kavg's own files: one version number may be two programs.

    >>> source() == source()
    True
    """
    sha, root = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        sha.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:12]


def session(ranks: int) -> dict[str, Any]:
    """What is kept of each part of a run that was interrupted and resumed."""
    facts = environment(ranks, None)
    return {key: facts[key] for key in SESSION}


def in_use() -> dict[str, str]:
    """What the last bits of a run depend on, beside its settings and data."""
    facts = {"source": source(), "machine": platform.machine()}
    return {"kavg": __version__, "numpy": np.__version__, **facts}


def installed(name: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name as well as it can be known."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [
                line.partition(":")[2].strip() for line in file if line.startswith("model name")
            ]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor()
