"""What is said and drawn for the user, on rank 0; a picture that fails never costs a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kavg.environment import installed
from kavg.errors import KavgError
from kavg.folders import refuse_unfinished
from kavg.runs import enter, load_trajectories
from kavg.trajectory import Trajectory


def say(words: str) -> None:
    """Print for the user."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def draw_if_possible(draw: Callable[[], object]) -> None:
    """A figure, where matplotlib is installed; its failure is said and no more."""
    if not installed("matplotlib"):
        return
    try:
        draw()
    except Exception as error:
        sys.stderr.write(f"kavg: no figure: {error}\n")


def write_figures(runs: Sequence[Trajectory], axis: str, figures: Path) -> list[Path]:
    """``trajectory.png`` and ``.svg``."""
    from kavg.plots import trajectory_figure
    from kavg.sheet import save

    figures.mkdir(parents=True, exist_ok=True)
    return list(save(trajectory_figure(runs, axis=axis), figures, "trajectory"))


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
