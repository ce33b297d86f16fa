"""What timings depend on: processor, cores, versions, instructions and what was asked of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from experiments.benchmarks.cpu_affinity import pinnable_cores
from experiments.benchmarks.instruction_set import InstructionSet, Observed, describe
from kavg.cli.environment import describe_environment, installed_version

PEERS: Final = ("jax", "jaxlib", "torch")
PREFIXES: Final = (
    "OPENBLAS_",
    "OMP_",
    "MKL_",
    "BLIS_",
    "NPY_",
    "XLA_",
    "JAX_",
    "TORCH_",
    "ATEN_",
    "ONEDNN_",
    "MPICH_",
)
"""Beginnings of the variables that change how fast or with what kernel a library computes."""


def machine(
    core: int | None, isa: InstructionSet, given: Mapping[str, str], seen: Observed
) -> dict[str, Any]:
    """Everything worth knowing; ``given`` are variables set for the processes measured.

    ``seen`` is what the libraries say in such a process.
    """
    found = describe_environment(1, None)
    versions = {name: known for name in PEERS if (known := installed_version(name))}
    found["versions"] = dict(found["versions"]) | versions
    return found | {
        "core": core,
        "allowed_cores": pinnable_cores(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "isa": str(isa),
        "instructions": asdict(seen),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
        "given": dict(given),
    }


def words(facts: Mapping[str, Any]) -> list[str]:
    """The same in lines for a reader."""
    versions = ", ".join(f"{name} {known}" for name, known in facts["versions"].items())
    core = "not pinned" if facts["core"] is None else f"pinned to core {facts['core']}"
    seen = Observed(**facts["instructions"])
    lines = [
        f"{facts['processor']}, {facts['cores']} cores, {core}",
        describe(facts["isa"], seen),
        f"{facts['platform']}, Python {facts['python']}",
        versions,
    ]
    for library in seen.blas:
        kernel = library["architecture"] or "unknown"
        lines.append(f"BLAS of NumPy: {library['internal_api']} {library['version']}, {kernel}")
    for name, title in (("variables", "set in the environment"), ("given", "set for all that ran")):
        if facts[name]:
            lines.append(f"{title}: " + " ".join(f"{k}={v}" for k, v in facts[name].items()))
    if facts["load"]:
        lines.append(f"load when it began: {' '.join(f'{load:g}' for load in facts['load'])}")
    return lines
