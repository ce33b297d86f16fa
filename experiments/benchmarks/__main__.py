"""``python -m experiments.benchmarks``, from a checkout: time kavg beside other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.benchmarks.command import bench
from kavg.engine.communicator import SerialComm
from kavg.errors import KavgError


def main(
    only: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Groups of workloads (default: all).")
    ] = None,
    repetitions: Annotated[
        int | None, typer.Option(metavar="N", help="Default: 7, or 3 with --quick.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller, within a minute.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("runs/bench"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite older timings.")] = False,
) -> None:
    """Time kavg beside JAX, PyTorch and plain NumPy, interleaved on one core; print ratios.

    Groups: elementwise, small, one_replica, logistic, digits, noise, large, scaling, ranks and
    startup.
    """
    try:
        code = bench(
            SerialComm(), only, repetitions, out, quick=quick, markdown=markdown, force=force
        )
    except KavgError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        code = error.code
    sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
