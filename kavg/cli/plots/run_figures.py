"""The figure of one or more run folders: their trajectories, with targets and exact values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from kavg.analysis.exact.stationary_values import stationary_values
from kavg.cli.output import print_messages
from kavg.cli.plots.options import Axis, Content
from kavg.config.config import Config
from kavg.config.settings_file import load_config
from kavg.errors import KavgError
from kavg.reports.figures.layout import Layout, select_quantities
from kavg.reports.figures.reference_lines import ReferenceLine
from kavg.reports.figures.run_names import name_runs
from kavg.reports.figures.trajectories import trajectory_figure
from kavg.reports.labels import recorded_quantities
from kavg.storage import load_trajectories
from kavg.storage.regular_files import require_file
from kavg.storage.validation import is_finished
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from kavg.reports.figures.files import Figure

STATIONARY: Final = "exact stationary value"


@final
@dataclass(frozen=True, eq=False)
class PlottedRun:
    """A run with the folder it is from, and its settings and place in them, if they are known."""

    run: Trajectory
    source: str
    config: Config | None
    place: int


def load_plotted_runs(folders: Sequence[Path]) -> list[PlottedRun]:
    """Load the runs of finished folders, with their settings where these can be read.

    Raises:
        KavgError: A folder's trajectories cannot be read.
    """
    return [
        PlottedRun(run, folder.name, config, place)
        for folder in folders
        for runs in [load_trajectories(folder)]
        for config in [_load_settings(folder, runs)]
        for place, run in enumerate(runs)
    ]


def _load_settings(folder: Path, runs: Sequence[Trajectory]) -> Config | None:
    # A figure does not need them: a run of another version of kavg is drawn without.
    try:
        config = load_config(require_file(folder / "config.toml"), reads_data=False)
    except (KavgError, OSError):
        return None
    return config if is_finished(runs, config.algorithms, config.rounds) else None


def choose_quantities(plotted: Sequence[PlottedRun], content: Content) -> list[str]:
    """Return the names of the quantities to draw.

    Raises:
        KavgError: One was not recorded, or ``--target`` does not say which it is of.
    """
    recorded = recorded_quantities([each.run for each in plotted])
    chosen = select_quantities(content.quantity or recorded, recorded)
    if content.target is not None and len(chosen) > 1:
        raise KavgError(
            "--target is a value of one quantity; name it with --quantity, one of "
            f"{', '.join(chosen)}"
        )
    return chosen


def draw_runs(plotted: Sequence[PlottedRun], content: Content, layout: Layout) -> Figure:
    """Draw the trajectories of all runs in one figure.

    Raises:
        KavgError: A quantity was not recorded.
    """
    runs = [each.run for each in plotted]
    names, note = name_runs(runs, [each.source for each in plotted])
    named = [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    quantities = choose_quantities(plotted, content)
    lines = []
    if content.target is not None:
        lines = [ReferenceLine(quantities[0], content.target, f"target {content.target:g}")]
    if content.floor:
        lines += _stationary_lines(plotted)
    layout = replace(layout, note=note)
    return trajectory_figure(
        named,
        axis=str(content.axis or Axis.ROUNDS),
        quantities=quantities,
        lines=lines,
        layout=layout,
    )


def _stationary_lines(plotted: Sequence[PlottedRun]) -> list[ReferenceLine]:
    lines = []
    for place, each in enumerate(plotted):
        try:
            if each.config is None:
                raise KavgError("its settings cannot be read")
            algorithm = each.config.algorithms[each.place]
            values = stationary_values(each.config.problem, algorithm)
        except KavgError as error:
            print_messages([f"{each.run.name}: no stationary value: {error}"])
            continue
        lines += [ReferenceLine(name, x, STATIONARY, place) for name, x in values.items()]
    return lines
