"""Figure of trajectories: means over replicas with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kavg.reports.figures.curves import (
    FEW,
    draw_curves,
    find_runaways,
    mean_curve,
    scale_y_axis,
)
from kavg.reports.figures.files import save
from kavg.reports.figures.layout import (
    PAGE,
    Layout,
    add_caption,
    describe_means,
    label_axes,
    new_figure,
    select_quantities,
)
from kavg.reports.figures.legend import add_legend
from kavg.reports.figures.reference_lines import ReferenceLine, draw_lines, line_entries
from kavg.reports.figures.run_names import name_runs
from kavg.reports.figures.style import line_style, use_default_style
from kavg.reports.labels import recorded_quantities, run_labels
from kavg.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@use_default_style()
def trajectory_figure(
    trajectories: Sequence[Trajectory],
    axis: str = "gradients",
    quantities: Sequence[str] | None = None,
    level: float = 0.95,
    lines: Sequence[ReferenceLine] = (),
    layout: Layout = PAGE,
) -> Figure:
    """Draw means over replicas with their intervals: a panel a quantity, a line an algorithm.

    The band is ``quantity_interval`` at ``level``, round by round; up to eight replicas are drawn
    one by one too.  ``axis`` is one of ``kavg.trajectory.AXES``; ``quantities`` are names of
    series, all of them by default.  Values that are not finite are left out.  An algorithm that
    diverged, or whose F grew beyond all others, does not set the scale unless all of them did; the
    legend says so.  ``lines`` are drawn across the panels of their quantities.

    Raises:
        KavgError: if an axis or a quantity is unknown, or matplotlib is missing.

    >>> import numpy as np
    >>> x = np.geomspace(1.0, 0.1, 5)[:, None] * np.ones(3)
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(5), {"F": x}, x.T, x.T, np.zeros(5))
    >>> figure = trajectory_figure([run], axis="rounds")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_yscale()
    ('rounds', 'linear')
    """
    peaks = find_runaways(trajectories)
    names = [
        _legend_name(name, run, peak)
        for name, run, peak in zip(run_labels(trajectories), trajectories, peaks, strict=True)
    ]
    recorded = recorded_quantities(trajectories)
    drawn = select_quantities(recorded if quantities is None else quantities, recorded)
    lines = [line for line in lines if line.quantity in drawn]
    figure, panels = new_figure(len(drawn), layout)
    for panel, quantity in zip(panels, drawn, strict=True):
        curves = [mean_curve(run, axis, quantity, level) for run in trajectories]
        # A run that diverges would stretch the axis over hundreds of decades.
        each = zip(curves, trajectories, peaks, strict=True)
        converged = [
            c for c, run, peak in each if run.diverged_at is None and peak is None and c.mean.size
        ]
        levels = [line.curve for line in lines if line.quantity == quantity]
        scale_y_axis(panel, converged or curves, quantity, levels)
        draw_lines(panel, lines, quantity)
        draw_curves(panel, curves)
        label_axes(panel, axis, quantity)
    entries = [(name, line_style(i)) for i, name in enumerate(names)]
    add_legend(figure, entries + line_entries(lines))
    few = 1 < max(run.replicas for run in trajectories) <= FEW
    caption = describe_means(trajectories, level, "lines", "shaded")
    add_caption(figure, caption + "; thin: each replica" * few, layout)
    return figure


def write_figures(runs: Sequence[Trajectory], axis: str, figures: Path) -> list[Path]:
    """Write ``trajectory.png`` and ``trajectory.svg`` to the folder ``figures``.

    Names carry the settings in which the runs differ, and the caption those that all share.
    """
    names, note = name_runs(runs)
    named = [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    figure = trajectory_figure(named, axis=axis, layout=Layout(note=note))
    return list(save(figure, figures, "trajectory"))


def _legend_name(name: str, run: Trajectory, peak: float | None) -> str:
    if run.diverged_at is not None:
        return f"{name} (diverged at round {run.diverged_at})"
    return name if peak is None else f"{name} (cut: F up to {peak:.0e})"
