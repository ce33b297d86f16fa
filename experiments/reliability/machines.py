"""Which kinds have other last bits with other vector instructions or another BLAS kernel.

``python experiments/reliability/machines.py`` runs a small problem of every kind of objective and
oracle in processes whose libraries are told to behave as on older processors, and prints a table.
It needs an x86-64 machine with OpenBLAS and glibc; a variable without effect there is an error.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import numpy as np

from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
from kavg.cli.environment import blas_name, simd_extensions
from kavg.objectives.instances import small_settings
from kavg.storage import digest

EXTENSIONS = np.show_config("dicts")["SIMD Extensions"]
VARIANTS = {
    "other SIMD extensions": {"NPY_DISABLE_CPU_FEATURES": " ".join(EXTENSIONS.get("found", ()))},
    "another BLAS kernel": {"OPENBLAS_CORETYPE": "Nehalem"},
    "no fused products in the C library": {
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"
    },
}
"""Variables that take instructions from NumPy, from OpenBLAS and from the C library."""
SIZES = {"dim": 120, "hidden": 5, "B": 3}
"""Fields with larger values than in the smallest instance: sines change at 100 coordinates."""


def instance(cls: type) -> object:
    """A small instance of a kind."""
    settings = small_settings(cls)
    return cls(**settings | {key: SIZES[key] for key in settings if key in SIZES})


def problems() -> dict[str, Problem]:
    """A problem of each kind of objective, without noise, and of each kind of oracle."""
    bowl = objectives.Quadratic(tuple(np.linspace(0.1, 1.0, SIZES["dim"])))
    needed = {
        oracles.MiniBatch: instance(objectives.LogisticRegression),
        oracles.LabelNoise: instance(objectives.FlatMinimum),
        oracles.UnlikeFunctions: objectives.Quadratic((1.0,)),
    }
    found = {}
    for kind, cls in objectives.KINDS.items():
        found[f"objective {kind}"] = Problem(instance(cls), oracles.KINDS["none"](), start=0.7)
    for kind, cls in oracles.KINDS.items():
        found[f"oracle {kind}"] = Problem(needed.get(cls, bowl), instance(cls), start=0.7)
    return found


def digests() -> dict[str, str]:
    """The digest of a short run of each problem, and what this process uses."""
    method = Algorithm(P=3, K=8, gamma=0.01, outer=outer.BlockMomentum(mu=0.5))
    runs = {name: simulate(one, method, rounds=20, seed=1) for name, one in problems().items()}
    functions = [math.exp(i / 997) * math.sin(i) for i in range(3000)]
    uses = f"{simd_extensions()} {blas_name()} {functions}"
    return {"uses": uses} | {name: digest(run) for name, run in runs.items()}


def digests_with(variables: dict[str, str]) -> dict[str, str]:
    """The same in a process of its own."""
    job = subprocess.run(
        [sys.executable, __file__, "digests"], env=os.environ | variables,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(job.stdout)


def table() -> str:
    """A row for each kind: whether its bits are those of this machine as it is."""
    columns, plain = [], digests_with({})
    uses = plain.pop("uses")
    for name, variables in VARIANTS.items():
        other = digests_with(variables)
        if other["uses"] == uses:
            raise SystemExit(f"{name}: {variables} has no effect here")
        columns.append({kind: "same" if other[kind] == plain[kind] else "other" for kind in plain})
    rows = [["", *VARIANTS], ["---"] * (len(VARIANTS) + 1)]
    rows += [[kind, *(column[kind] for column in columns)] for kind in columns[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(json.dumps(digests()) if sys.argv[1:] == ["digests"] else table())
