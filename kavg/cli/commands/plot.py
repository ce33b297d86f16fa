"""``kavg plot``: draw a finished run again."""

from __future__ import annotations

from pathlib import Path

from kavg.cli.output import say
from kavg.errors import KavgError
from kavg.reports.figures.trajectories import write_figures
from kavg.storage.output_folder import refuse_unfinished
from kavg.storage.run_folder import enter
from kavg.storage.trajectories import load_trajectories


def draw(folder: Path, axis: str, figures: Path) -> None:
    """Draw a finished run again, and say where."""
    refuse_unfinished(folder)
    runs = load_trajectories(folder)
    try:
        paths = write_figures(runs, axis, figures)
        enter(folder, paths)
    except OSError as error:
        raise KavgError(f"cannot write {str(figures)!r}: {error.strerror}") from None
    for path in paths:
        say(str(path))
