"""The figure of a sweep: what each point of its first stage reached, over the varied settings."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.sweeps.findings import Findings
from kavg.sweeps.points import Point
from kavg.sweeps.scores import PointRecord


def draw_tuning(findings: Findings, folder: Path) -> None:
    """Draw the points of the first stage: curves of one setting, or a heat map of two.

    With a target the costs until it is reached, else the quantity at the end with its intervals.
    """
    from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity, plot_final
    from kavg.reports.figures.sweeps.point_values import PointValue, final_value
    from kavg.reports.figures.sweeps.sweep_figure import write_sweep_figures

    criterion = findings.criterion
    shown = plot_final(criterion.quantity)
    if criterion.target is not None:
        title = f"{criterion.axis} to {criterion.target}"
        shown = PlottedQuantity(title, failure="diverged, or never there")

    def measure(point: Point, record: PointRecord) -> PointValue:
        if criterion.target is None:
            samples = [nan if value is None else value for value in record.samples]
            return final_value(point.algorithm, point.settings, np.array(samples), shown)
        cost = np.asarray(inf if record.reached is None else record.reached)
        estimate = Estimate(cost, np.asarray(nan), np.asarray(nan), 0.95, len(record.samples))
        return PointValue(point.algorithm, point.settings, estimate)

    records = findings.records[0]
    values = [measure(point, records[point.number]) for point in findings.sweep.points]
    write_sweep_figures(values, shown, folder, "tuning")
