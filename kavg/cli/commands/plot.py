"""``kavg plot``: draw the figures of a finished run again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kavg.cli.command import command
from kavg.cli.options import FolderArgument
from kavg.cli.session import Session
from kavg.errors import KavgError


class Axis(StrEnum):
    """The quantity on the horizontal axis."""

    ROUNDS = "rounds"
    STEPS = "steps"
    GRADIENTS = "gradients"
    COMMUNICATIONS = "communications"
    SECONDS = "seconds"


AxisOption = Annotated[
    Axis,
    typer.Option("--axis", metavar="AXIS", help=f"Horizontal axis: one of {', '.join(Axis)}."),
]
FiguresOption = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="DIR", help="Folder to write to; if not given, FOLDER/figures."
    ),
]


@command("kavg plot runs/quickstart --axis communications")
def plot(
    session: Session,
    folder: FolderArgument,
    axis: AxisOption = Axis.ROUNDS,
    out: FiguresOption = None,
) -> None:
    """Redraw a run's figures.

    Draw means and confidence intervals over replicas against another axis, or after matplotlib was
    installed.
    """
    from kavg.mpi.collective import run_on_rank_0

    run_on_rank_0(session.comm, lambda: _redraw(folder, axis, out or folder / "figures"))


def _redraw(folder: Path, axis: Axis, figures: Path) -> None:
    from kavg.cli.output import print_text
    from kavg.reports.figures.trajectories import write_figures
    from kavg.storage import RunFolder, load_trajectories
    from kavg.storage.output_folder import require_finished
    from kavg.storage.recovery import recover_before_reading
    from kavg.text import escape_unprintable

    recover_before_reading(folder)
    require_finished(folder)
    runs = load_trajectories(folder)
    try:
        # Figures in the run's own folder are entered in its manifest.
        paths = RunFolder(folder).add(lambda stage: write_figures(runs, axis, stage), figures)
    except OSError as error:
        raise KavgError(f"cannot write {str(figures)!r}: {error.strerror}") from None
    print_text("\n".join(escape_unprintable(str(path)) for path in paths))
