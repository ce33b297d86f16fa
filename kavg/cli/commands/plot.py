"""``kavg plot``: draw a finished run again."""

from __future__ import annotations

from pathlib import Path

from kavg.cli.output import say
from kavg.errors import KavgError
from kavg.reports.figures.trajectories import write_figures
from kavg.storage import RunFolder, load_trajectories
from kavg.storage.output_folder import require_finished


def draw(folder: Path, axis: str, figures: Path) -> None:
    """Draw a finished run again, and say where."""
    require_finished(folder)
    runs = load_trajectories(folder)
    try:
        paths = RunFolder(folder).add(lambda stage: write_figures(runs, axis, stage), figures)
    except OSError as error:
        raise KavgError(f"cannot write {str(figures)!r}: {error.strerror}") from None
    for path in paths:
        say(str(path))
