"""``kavg diff``: where two finished runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.completion import complete_run_folder
from kavg.cli.session import Session

First = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="Run folder.", autocompletion=complete_run_folder),
]
Second = Annotated[
    Path,
    typer.Argument(
        metavar="OTHER", help="Run folder to compare with.", autocompletion=complete_run_folder
    ),
]


@command("kavg diff runs/quickstart runs/again")
def diff(session: Session, folder: First, other: Second) -> int:
    """Compare two runs.

    Print the settings, machines and versions that differ, and for each algorithm the first round
    and quantity that do, with the difference at the end.  Exit code 0 for the same bits, else 1.
    """
    from kavg.cli.run_comparison import compare_folders

    return compare_folders(session, folder, other)
