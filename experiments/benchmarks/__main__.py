"""``python -m experiments.benchmarks``, from a checkout: time kavg beside other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.benchmarks.command import Options, bench
from experiments.benchmarks.history import HISTORY
from experiments.benchmarks.instruction_set import InstructionSet
from experiments.benchmarks.timing import CPU, WALL
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError


def main(
    only: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Groups of workloads (default: all).")
    ] = None,
    repetitions: Annotated[
        int | None, typer.Option(metavar="N", help="Default: 7, or 3 with --quick.")
    ] = None,
    isa: Annotated[
        InstructionSet, typer.Option(help="Widest vector instructions that any library may use.")
    ] = InstructionSet.NATIVE,
    cpu_time: Annotated[
        bool,
        typer.Option("--cpu-time/--wall-time", help="Clock; ranks and startup use wall time."),
    ] = True,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller, within a minute.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("runs/bench"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite older timings.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help=f"Add a line a time to {HISTORY.name}.")
    ] = False,
) -> None:
    """Time kavg beside JAX, PyTorch and plain NumPy, interleaved on one core; print ratios.

    Groups: elementwise, small, one_replica, logistic, digits, noise, large, scaling, methods, ranks
    and startup.
    """
    options = Options(
        out,
        only,
        repetitions,
        isa=isa,
        clock=CPU if cpu_time else WALL,
        quick=quick,
        markdown=markdown,
        force=force,
        history=HISTORY if history else None,
    )
    try:
        code = bench(SerialComm(), options)
    except KavgError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        code = error.code
    sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
