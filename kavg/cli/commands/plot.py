"""``kavg plot``: draw the figures of finished runs and sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.completion import complete_run_folder
from kavg.cli.plots.options import CONTENT, FORM, VIEW, Content, Form, View
from kavg.cli.session import Session

FoldersArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FOLDER...",
        help="Run folders, or one sweep folder.",
        autocompletion=complete_run_folder,
    ),
]

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder to write to; if not given, FOLDER/figures.",
        show_default=False,
    ),
]


@command(
    "kavg plot runs/quickstart --axis communications",
    "kavg plot runs/a runs/b --quantity F --width column --format pdf --out figures",
    "kavg plot runs/sweep --kind heat-map --x gamma --y mu",
)
def plot(
    session: Session,
    folders: FoldersArgument,
    content: Content = CONTENT,
    view: View = VIEW,
    form: Form = FORM,
    out: OutOption = None,
) -> None:
    """Draw figures of finished runs and sweeps.

    Draw means and confidence intervals over replicas, of several runs together, or a sweep over its
    settings.
    """
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: _draw_together(folders, content, view, form, out))


def _draw_together(
    folders: Sequence[Path], content: Content, view: View, form: Form, out: Path | None
) -> None:
    from kavg.cli.plots.drawing import draw_folders

    draw_folders(folders, content, view, form, out)
