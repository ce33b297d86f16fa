"""Pictures of trajectories: means over replicas with their limits, fit for print and for grey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kavg.errors import KavgError
from kavg.reports.figures.curves import FAINT, curve, draw
from kavg.reports.figures.layout import name_axes, new_sheet
from kavg.reports.figures.legend import legend
from kavg.reports.labels import recorded_quantities, run_labels
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def trajectory_figure(
    trajectories: Sequence[Trajectory],
    axis: str = "gradients",
    quantities: Sequence[str] | None = None,
    level: float = 0.95,
) -> Figure:
    """One panel a quantity, one line an algorithm: the mean over replicas and its limits.

    The band is ``mean_interval`` at ``level``, round by round; up to eight replicas are also drawn
    one by one.  ``axis`` is one of ``kavg.trajectory.AXES``; ``quantities`` are names of series,
    all of them by default.  Values that are not finite are left out, and an algorithm that
    diverged does not set the scale unless all of them did.

    >>> import numpy as np
    >>> x = np.geomspace(1.0, 0.1, 5)[:, None] * np.ones(3)
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(5), {"F": x}, x.T, x.T, np.zeros(5))
    >>> figure = trajectory_figure([run], axis="rounds")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_yscale()
    ('rounds (one communication each)', 'linear')
    """
    names = map(_entry, run_labels(trajectories), trajectories)
    shown = _chosen(trajectories, quantities)
    calm = [run.diverged_at is None for run in trajectories]
    figure, panels = new_sheet(len(shown))
    for panel, quantity in zip(panels, shown, strict=True):
        curves = [curve(run, axis, quantity, level) for run in trajectories]
        steady = [c for c, good in zip(curves, calm, strict=True) if good and c.mean.size]
        draw(panel, curves, steady or curves, quantity)
        name_axes(panel, axis, quantity)
    legend(figure, list(names))
    figure.suptitle(_caption(trajectories, level), fontsize=8)
    return figure


def _chosen(trajectories: Sequence[Trajectory], quantities: Sequence[str] | None) -> list[str]:
    there = recorded_quantities(trajectories)
    chosen = there if quantities is None else list(quantities)
    strange = [name for name in chosen if name not in there]
    if strange or not chosen:
        raise KavgError(f"cannot draw {strange or 'nothing'}; recorded are: {', '.join(there)}")
    return chosen


def _entry(name: str, run: Trajectory) -> str:
    end = "" if run.diverged_at is None else f" (diverged at round {run.diverged_at})"
    return name + end


def _caption(trajectories: Sequence[Trajectory], level: float) -> str:
    counts = sorted({run.replicas for run in trajectories})
    if counts[-1] == 1:
        return "one replica: no limits"
    many = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    thin = ", thin: each replica" if counts[-1] <= FAINT else ""
    return f"mean of {many} replicas, shaded: {100 * level:g} % limits{thin}"


def write_figures(runs: Sequence[Trajectory], axis: str, figures: Path) -> list[Path]:
    """``trajectory.png`` and ``.svg``."""
    from kavg.reports.figures.layout import save

    figures.mkdir(parents=True, exist_ok=True)
    return list(save(trajectory_figure(runs, axis=axis), figures, "trajectory"))
