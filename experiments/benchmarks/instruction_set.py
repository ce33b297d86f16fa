"""Vector instructions: which the libraries may use, and which they say that they use.

``python -m experiments.benchmarks.instruction_set`` prints what the libraries of this process say,
as JSON; the benchmark starts it with the variables that its workers get.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, final

from experiments.benchmarks.contestants.contestant import LeftOut, needed
from kavg.cli.environment import simd_extensions
from kavg.engine.blas_threads import get_blas_controller
from kavg.errors import KavgError


class InstructionSet(StrEnum):
    """What ``--isa`` knows."""

    NATIVE = "native"
    AVX2 = "avx2"


WIDER: Final = ("AVX512", "AVX10", "X86_V4")
"""Beginnings of NumPy's names of what AVX2 does not have."""
HAS_AVX2: Final = ("AVX2", "X86_V3")
"""NumPy's names of AVX2: the older, and the level that includes it."""
WIDER_KERNELS: Final = frozenset({"skylakex", "cooperlake", "sapphirerapids"})
"""Kernels of OpenBLAS with AVX-512."""
XLA: Final = "--xla_cpu_max_isa=AVX2"
LIMITS: Final = {
    "OPENBLAS_CORETYPE": "Haswell",
    "XLA_FLAGS": XLA,
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""What OpenBLAS, JAX and PyTorch (with its oneDNN and MKL) must be told before they are loaded."""
NUMPY: Final = "NPY_DISABLE_CPU_FEATURES"


@final
@dataclass(frozen=True)
class Observed:
    """What the libraries of a process say: ``torch`` is empty if PyTorch is not installed.

    XLA does not tell what it uses, so ``xla_flags`` are what it was told.
    """

    extensions: Sequence[str]
    blas: Sequence[Mapping[str, Any]]
    torch: str
    xla_flags: str


def limits(
    isa: InstructionSet, extensions: Sequence[str], given: Mapping[str, str]
) -> dict[str, str]:
    """The variables that hold every library to an instruction set; none for the native one.

    ``extensions`` are those that NumPy uses without them, ``given`` the variables that are set.
    NumPy warns of a name that it does not know or the machine does not have, so it gets no other.

    Raises:
        KavgError: if NumPy finds no AVX2 here.

    >>> limits(InstructionSet.AVX2, ["X86_V3", "X86_V4"], {})["NPY_DISABLE_CPU_FEATURES"]
    'X86_V4'
    """
    if isa is InstructionSet.NATIVE:
        return {}
    if not set(HAS_AVX2) & set(extensions):
        raise KavgError(
            f"--isa {isa} needs a processor with AVX2; NumPy found "
            f"{' '.join(extensions) or 'no extensions'} here; use --isa native"
        )
    wider = [name for name in extensions if name.startswith(WIDER)]
    off = " ".join([*given.get(NUMPY, "").split(), *wider])
    return LIMITS | ({NUMPY: off} if off else {})


def observe() -> Observed:
    """Ask the libraries of this process."""
    blas = [
        {key: library.get(key) for key in ("internal_api", "version", "architecture")}
        for library in get_blas_controller().info()
        if library.get("user_api") == "blas"
    ]
    return Observed(simd_extensions(), blas, torch_capability(), os.environ.get("XLA_FLAGS", ""))


def torch_capability() -> str:
    """What PyTorch calls the instructions that it uses; "" where it is not installed."""
    try:
        needed("torch")
    except LeftOut:
        return ""
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


def observe_apart(variables: Mapping[str, str]) -> Observed:
    """Ask the libraries of a process that gets these variables, as a worker does.

    Raises:
        KavgError: if it fails.
    """
    command = [sys.executable, "-m", "experiments.benchmarks.instruction_set"]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise KavgError(f"the libraries could not be asked for their instructions: {last}")
    return Observed(**json.loads(done.stdout.splitlines()[-1]))


def confirm(isa: InstructionSet, seen: Observed) -> None:
    """Refuse to measure if a library uses more than it was told to.

    Raises:
        KavgError: with the library and what it says.
    """
    if isa is InstructionSet.NATIVE:
        return
    wider = [name for name in seen.extensions if name.startswith(WIDER)]
    if wider:
        raise KavgError(f"NumPy still uses {' '.join(wider)} with --isa {isa}; use --isa native")
    kernels = {str(library.get("architecture")).lower() for library in seen.blas}
    if found := kernels & WIDER_KERNELS:
        raise KavgError(f"BLAS uses {' '.join(found)} with --isa {isa}; use --isa native")
    if seen.torch not in ("", "AVX2"):
        raise KavgError(f"PyTorch uses {seen.torch} with --isa {isa}; use --isa native")
    if XLA not in seen.xla_flags.split():
        raise KavgError(f"XLA_FLAGS lack {XLA} with --isa {isa}, got {seen.xla_flags!r}")


def describe(isa: str, seen: Observed) -> str:
    """One line for a reader: what was measured, and how it was limited for each library.

    >>> describe("native", Observed(["X86_V2", "X86_V3"], [], "AVX2", ""))
    'instruction set: native; NumPy X86_V2 X86_V3; PyTorch AVX2; JAX as it chooses'
    """
    told = XLA if XLA in seen.xla_flags.split() else "as it chooses"
    parts = [f"instruction set: {isa}", f"NumPy {' '.join(seen.extensions)}"]
    parts += [f"PyTorch {seen.torch}"] if seen.torch else []
    return "; ".join([*parts, f"JAX {told}"])


if __name__ == "__main__":
    print(json.dumps(asdict(observe())))
