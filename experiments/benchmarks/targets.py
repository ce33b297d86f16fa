"""Targets for kavg's time over its peers', and whether a run of the benchmark meets them.

``python -m experiments.benchmarks.targets runs/bench/bench.json`` prints a line a target and leaves
with 1 if one is missed.  They are meant for ``--isa avx2`` and CPU time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, final

import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from experiments.benchmarks.instruction_set import InstructionSet
from experiments.benchmarks.ratios import Measured
from experiments.benchmarks.reports.tables import format_digits
from experiments.benchmarks.reports.text_table import TextTable
from experiments.benchmarks.timing import CPU
from kavg.errors import KavgError

FAIR_JAX, FAIR_TORCH = "JAX, float32 normals", "PyTorch, float32 normals"


@final
@dataclass(frozen=True)
class Target:
    """``kavg / contestant`` is to be at most this in a workload."""

    workload: str
    contestant: str
    ratio: float


TARGETS: Final = (
    Target("elementwise, float64", "JAX", 0.45),
    Target("elementwise, float64", FAIR_JAX, 0.80),
    Target("elementwise, float64", FAIR_TORCH, 0.80),
    Target("elementwise, float32", "JAX", 0.90),
    Target("elementwise, float32", "PyTorch", 0.85),
    Target("elementwise, a sine", "JAX", 0.40),
    Target("elementwise, a sine", FAIR_JAX, 0.65),
    Target("elementwise, a sine", FAIR_TORCH, 1.1),
    Target("small, many replicas", "JAX", 0.60),
    Target("small, many replicas", FAIR_JAX, 1.1),
    Target("small, many replicas", FAIR_TORCH, 1.0),
    Target("large d", "JAX", 0.42),
    Target("large d", FAIR_JAX, 0.65),
    Target("large d", FAIR_TORCH, 0.85),
    Target("mini-batch logistic, R = 1", "JAX", 1.2),
    Target("mini-batch logistic, R = 16", "JAX", 1.05),
    Target("one small replica", "JAX, a call a round", 0.85),
)
"""In float32 workloads JAX and PyTorch draw float32 normals as they are."""


class _Machine(BaseModel):
    model_config = ConfigDict(extra="ignore")

    processor: str
    isa: InstructionSet


class Results(BaseModel):
    """What is read of ``bench.json``."""

    model_config = ConfigDict(extra="ignore")

    machine: _Machine
    measured: list[Measured]


def read_results(path: Path) -> Results:
    """Read and check a file that the benchmark wrote.

    Raises:
        KavgError: if it cannot be read or is another kind of file.
    """
    try:
        return Results.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise KavgError(f"cannot read {str(path)!r} as the benchmark's results: {why}") from None


def find_ratio(target: Target, measured: Sequence[Measured]) -> float | None:
    """The median ratio of a target; None where it was not measured."""
    for each in measured:
        spread = each.ratio(target.contestant)
        if each.name == target.workload and spread:
            return spread.median
    return None


def targets_table(results: Results, targets: Sequence[Target] = TARGETS) -> TextTable:
    """One row a target: what is asked, what was measured, and whether it is met."""
    rows = []
    for target in targets:
        ratio = find_ratio(target, results.measured)
        shown = "not measured" if ratio is None else format_digits(ratio)
        met = "" if ratio is None else "yes" if ratio <= target.ratio else "no"
        rows.append((f"{target.workload}: {target.contestant}", f"{target.ratio:g}", shown, met))
    caption = f"kavg / it; {results.machine.processor}, --isa {results.machine.isa}"
    header = ("", "target", "measured", "met")
    return TextTable("targets", caption, header, rows, remarks(results))


def remarks(results: Results) -> list[str]:
    """Why the targets were not meant for these results."""
    found = []
    if results.machine.isa is not InstructionSet.AVX2:
        found.append(f"the targets are meant for --isa {InstructionSet.AVX2}")
    if any(each.clock != CPU for each in results.measured if each.name in WORKLOADS):
        found.append(f"the targets are meant for {CPU}")
    return found


WORKLOADS: Final = frozenset(target.workload for target in TARGETS)


def main(
    file: Annotated[Path, typer.Argument(help="What the benchmark wrote.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Print target, measured and met; leave with 1 if a target is missed or was not measured."""
    try:
        table = targets_table(read_results(file))
    except KavgError as error:
        sys.stderr.write(f"targets: {error}\n")
        sys.exit(error.code)
    print(table.markdown() if markdown else table.text())
    sys.exit(int(any(row[-1] != "yes" for row in table.rows)))


if __name__ == "__main__":
    typer.run(main)
