"""``kavg compare``: methods at an equal budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.comparisons.options import COMPARISON, FILES, ComparisonFiles, ComparisonOptions
from kavg.cli.completion import complete_run_folder
from kavg.cli.plots.options import FORM, Form
from kavg.cli.session import Session

FoldersArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FOLDER",
        help="Run folders and sweep folders.",
        autocompletion=complete_run_folder,
    ),
]


@command(
    "kavg compare runs/quickstart",
    "kavg compare runs/a runs/b --at communications=200 --target grad_norm2=1e-3",
    "kavg compare runs/sweep --at time --clock step=1,communication=10 --out new",
    "kavg compare runs/sweep --out new --width column --format pdf",
)
def compare(
    session: Session,
    folders: FoldersArgument,
    options: ComparisonOptions = COMPARISON,
    files: ComparisonFiles = FILES,
    form: Form = FORM,
) -> None:
    """Compare methods at an equal budget.

    Print the means of all methods at the same number of gradients, communications or units of
    simulated time, and their differences from and ratios to the first, with confidence intervals
    that hold together; with --target also when each reached it.  Methods that share their noise are
    compared replica by replica.  Of a sweep the winners of each cell are compared.
    """
    from kavg.cli.comparisons.execution import compare_and_report
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: compare_and_report(folders, options, files, form))
