"""Figures of a sweep: what its trials reached over the tuned settings, and its winners."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path

from kavg.cli.sweeps.trial_values import value_trial
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity, name_cost, plot_final
from kavg.reports.figures.sweeps.point_values import PointValue, final_value, time_value
from kavg.reports.figures.sweeps.sweep_figure import write_sweep_figures
from kavg.sweeps.judgement.criteria import Criterion
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.results import SweepResult, Winner
from kavg.sweeps.judgement.scores import PointRecord
from kavg.sweeps.points import Point


def draw_sweep_figures(findings: Findings, result: SweepResult, folder: Path) -> None:
    """Draw ``tuning``, the points of the first of several stages, and ``winners``.

    Curves over one setting, or heat maps over two; nothing where none varies.  With a target they
    show the cost until it is reached, else the quantity at the end.
    """
    criterion = findings.criterion
    shown, problem = plot_final(criterion.quantity), findings.sweep.problem_settings
    if criterion.target is not None:
        shown = name_cost(criterion.axis, criterion.target)
    if len(findings.records) > 1:
        trials = [
            _value_trial(point, findings.records[0][point.number], criterion, shown)
            for point in findings.sweep.points
        ]
        write_sweep_figures(trials, shown, folder, "tuning", problem)
    winners = [_value_winner(winner, criterion, shown) for winner in result.winners]
    # Their axes are settings of the cells, which a user gives and no one searches.
    shown = replace(shown, is_searched=False)
    write_sweep_figures(winners, shown, folder, "winners", problem)


def _value_trial(
    point: Point, record: PointRecord, criterion: Criterion, shown: PlottedQuantity
) -> PointValue:
    if criterion.target is None:
        samples = [nan if value is None else value for value in record.samples]
        return final_value(point.algorithm, point.settings, samples, shown)
    return value_trial(
        point.algorithm, point.settings, record.reached, record.time, len(record.samples)
    )


def _value_winner(winner: Winner, criterion: Criterion, shown: PlottedQuantity) -> PointValue:
    point, run = winner.point, winner.run
    if run.diverged_at is not None:
        return value_trial(point.algorithm, point.cell, None, None, run.replicas)
    if winner.time is not None:
        return time_value(point.algorithm, point.cell, winner.time)
    samples = criterion.series(run)[-1]
    return final_value(point.algorithm, point.cell, samples, shown)
