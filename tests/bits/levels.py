"""Processes whose libraries are told to behave as on older processors.

A level is a set of variables that take vector instructions from NumPy, a kernel from OpenBLAS, or
fused products from the C library, and that give BLAS another number of threads.  All names come
from what this machine has, so that no variable is without effect.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from kavg.cli.environment import blas_name, c_library_name

HERE = Path(__file__).parent
KERNELS = {"Nehalem": "sse4_2", "Haswell": "avx2", "SkylakeX": "avx512vl"}
"""Kernels of OpenBLAS, with a flag of the processors that can run them."""
OLDER = ("AVX512F", "AVX2", "FMA", "FMA4", "AVX2_Usable", "FMA_Usable", "FMA4_Usable")
"""What the C library is told not to use: its functions have forms with fused products.

The last three are the names before glibc 2.33; one that it does not know is ignored.
"""

Variables = dict[str, str]


def levels() -> dict[str, Variables]:
    """Variables by level, the machine as it is first; every list of a library occurs."""
    columns = [list(each.items()) for each in (simd_levels(), blas_levels(), library_levels())]
    count = max(map(len, columns))
    rows = zip(*(cycle(column) for column in columns), strict=False)
    found: dict[str, Variables] = {}
    for number, row in zip(range(count), rows, strict=False):
        name = ", ".join(label for label, _ in row)
        threads = {"OPENBLAS_NUM_THREADS": str(1 + number % 2)} if number else {}
        found[name] = {key: value for _, variables in row for key, value in variables.items()}
        found[name] |= threads
    return found


def simd_levels() -> dict[str, Variables]:
    """What NumPy is told to disable: nothing, AVX-512, and all beyond its baseline."""
    found = list(np.show_config("dicts")["SIMD Extensions"].get("found", ()))
    wide = [name for name in found if name.startswith("AVX512") or name == "X86_V4"]
    named = {"NumPy as it is": [], "NumPy without AVX-512": wide, "NumPy's baseline": found}
    return {
        label: {"NPY_DISABLE_CPU_FEATURES": " ".join(names)} if names else {}
        for label, names in named.items()
        if names or label == "NumPy as it is"
    }


def blas_levels() -> dict[str, Variables]:
    """The kernel that OpenBLAS chooses, and those that this processor can run."""
    found: dict[str, Variables] = {"BLAS as it is": {}}
    if "openblas" in blas_name() and platform.machine() in ("x86_64", "AMD64"):
        flags = processor_flags()
        found |= {
            f"kernel {kernel}": {"OPENBLAS_CORETYPE": kernel}
            for kernel, flag in KERNELS.items()
            if flag in flags
        }
    return found


def library_levels() -> dict[str, Variables]:
    """The C library as it is, and without fused products."""
    found: dict[str, Variables] = {"C library as it is": {}}
    if "fma" in processor_flags() and c_library_name().startswith("glibc"):
        tunables = "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in OLDER)
        found["C library without FMA"] = {"GLIBC_TUNABLES": tunables}
    return found


def processor_flags() -> set[str]:
    """The flags of the processor; empty where Linux does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line.split(":")[1] for line in lines if line.startswith("flags")), "").split())


def run_at(variables: Variables, script: str, *words: str) -> str:
    """What a script of this folder prints in a process of its own; its stderr must be empty."""
    paths = [str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    job = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / script), *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | variables,
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    assert (job.returncode, job.stderr) == (0, ""), job.stderr[-2000:]
    return job.stdout


def digests_at(variables: Variables) -> dict[str, Any]:
    """The digests of all runs at a level, and what the process used."""
    answer: dict[str, Any] = json.loads(run_at(variables, "runs.py", "--json"))
    return answer
