"""The values of the points of a sweep's last stage, whose runs are whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.targets import measure_time
from kavg.cli.plots.options import Content
from kavg.cli.sweeps.finished import FinishedSweep
from kavg.errors import KavgError
from kavg.reports.figures.sweeps.plotted_quantity import (
    PlottedQuantity,
    name_cost,
    plot_final,
)
from kavg.reports.figures.sweeps.point_values import PointValue, final_value, time_value
from kavg.sweeps.judgement.criteria import Criterion, choose_criterion
from kavg.targets import RISING, Target

LEVEL: Final = 0.95


def measure_last_stage(
    finished: FinishedSweep, content: Content
) -> tuple[list[PointValue], PlottedQuantity]:
    """Return the values of the points of the last stage, and their quantity.

    They are the costs until a target, that of ``content`` or else of the sweep; without one, or
    where ``content`` names a quantity alone, that quantity at the end of each run.

    Raises:
        KavgError: The quantity was not recorded.
    """
    criterion = choose_criterion(finished.sweep)
    names, known = content.quantity or [criterion.quantity], list(finished.runs[0].series)
    if len(names) > 1 or names[0] not in known:
        raise KavgError(f"a sweep is drawn by one --quantity of {', '.join(known)}, got {names}")
    target = _choose_target(criterion, content, names[0])
    places = range(len(finished.runs))
    if target is None:
        quantity = plot_final(names[0])
        return [_measure_end(finished, quantity, place) for place in places], quantity
    criterion = replace(criterion, target=target, quantity=target.quantity)
    axis = criterion.axis if content.axis is None else str(content.axis)
    points = [_measure_point(finished, criterion, place, content) for place in places]
    return points, name_cost(axis, target)


def _choose_target(criterion: Criterion, content: Content, quantity: str) -> Target | None:
    if content.target is None:
        return None if content.quantity else criterion.target
    if quantity in RISING:
        return Target(quantity, above=content.target)
    return Target(quantity, below=content.target)


def _measure_end(finished: FinishedSweep, quantity: PlottedQuantity, place: int) -> PointValue:
    run, settings = finished.runs[place], finished.points[place].settings
    return final_value(run.name, settings, run.series[quantity.name][-1], quantity, LEVEL)


def _measure_point(
    finished: FinishedSweep, criterion: Criterion, place: int, content: Content
) -> PointValue:
    point, run = finished.points[place], finished.runs[place]
    if run.diverged_at is not None:
        # It may have passed the target before, which is no success.
        nan, none = np.asarray(np.nan), np.full(run.replicas, np.nan)
        estimate = Estimate(nan, nan, nan, LEVEL, run.replicas)
        return PointValue(run.name, point.settings, estimate, none)
    assert criterion.target is not None
    config = finished.sweep.stages[-1].configure(point.config)
    axis = criterion.progress(run) if content.axis is None else run.axis(str(content.axis))
    time = measure_time(
        axis,
        criterion.series(run),
        criterion.find_value(point, config, run),
        rule=criterion.target.rule,
        level=LEVEL,
        increasing=criterion.target.increasing,
    )
    return time_value(run.name, point.settings, time)
