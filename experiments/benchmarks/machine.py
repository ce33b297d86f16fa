"""What timings depend on: processor, cores, versions, the BLAS in use and what was asked of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from experiments.benchmarks.cpu_affinity import pinnable_cores
from kavg.cli.environment import describe_environment, installed_version
from kavg.engine.blas_threads import get_blas_controller

PEERS: Final = ("jax", "jaxlib", "torch")
PREFIXES: Final = ("OPENBLAS_", "OMP_", "MKL_", "BLIS_", "NPY_", "XLA_", "JAX_", "TORCH_", "MPICH_")
"""Beginnings of the variables that change how fast or with what kernel a library computes."""


def machine(core: int | None, given: dict[str, str]) -> dict[str, Any]:
    """Everything worth knowing; ``given`` are variables set for the processes measured."""
    found = describe_environment(1, None)
    versions = {name: known for name in PEERS if (known := installed_version(name))}
    found["versions"] = dict(found["versions"]) | versions
    blas = [
        {key: library.get(key) for key in ("internal_api", "version", "architecture")}
        for library in get_blas_controller().info()
        if library.get("user_api") == "blas"
    ]
    return found | {
        "core": core,
        "allowed_cores": pinnable_cores(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "blas": blas,
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
        "given": given,
    }


def words(facts: Mapping[str, Any]) -> list[str]:
    """The same in lines for a reader."""
    versions = ", ".join(f"{name} {known}" for name, known in facts["versions"].items())
    core = "not pinned" if facts["core"] is None else f"pinned to core {facts['core']}"
    lines = [
        f"{facts['processor']}, {facts['cores']} cores, {core}",
        f"{facts['platform']}, Python {facts['python']}",
        versions,
    ]
    for library in facts["blas"]:
        kernel = library["architecture"] or "unknown"
        lines.append(f"BLAS of NumPy: {library['internal_api']} {library['version']}, {kernel}")
    for name, title in (("variables", "set in the environment"), ("given", "set for the peers")):
        if facts[name]:
            lines.append(f"{title}: " + " ".join(f"{k}={v}" for k, v in facts[name].items()))
    if facts["load"]:
        lines.append(f"load when it began: {' '.join(f'{load:g}' for load in facts['load'])}")
    return lines
