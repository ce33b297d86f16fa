"""Which method wins, and by how much: the cells of a phase diagram, and speed-ups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.targets import compare_times
from kavg.reports.figures.sweeps.arrangement import (
    ALGORITHM,
    compare_points,
    divide_points,
    fill_cells,
    points_along,
    stack_estimates,
)
from kavg.reports.figures.sweeps.phase_diagram import NOBODY, PhaseMap
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.point_values import (
    PointValue,
    axis_of,
    best_point,
    with_settings,
)
from kavg.reports.figures.sweeps.setting_axis import VariedAxis
from kavg.reports.figures.sweeps.setting_curve import SettingCurve


def arrange_phases(
    points: Sequence[PointValue],
    axes: tuple[str, str],
    by: str | None,
    quantity: PlottedQuantity,
    level: float,
) -> tuple[tuple[VariedAxis, VariedAxis], list[str], list[PhaseMap]]:
    """Return the axes (x, y), the names of the methods, and a map for each value of ``by``.

    A cell is decided where only points of one method may be its truly best one.

    Raises:
        KavgError: if no point has the settings.
    """
    inside = with_settings(points, axes)
    x, y = (axis_of(inside or points, name) for name in axes)
    names = list(dict.fromkeys(point.algorithm for point in inside))
    maps = [
        _find_winners(title, part, (x, y), names, quantity, level)
        for title, part in divide_points(inside, by).items()
    ]
    return (x, y), names, maps


def _find_winners(
    title: str,
    points: Sequence[PointValue],
    axes: tuple[VariedAxis, VariedAxis],
    names: Sequence[str],
    quantity: PlottedQuantity,
    level: float,
) -> PhaseMap:
    shape = (len(axes[1].values), len(axes[0].values))
    winner, decided = np.full(shape, NOBODY, np.intp), np.zeros(shape, np.bool_)
    failed = np.zeros(shape, np.bool_)
    for place, inner in fill_cells(points, axes).items():
        best = best_point(inner, quantity)
        failed[place] = best.has_failed
        if not best.has_failed:
            p = compare_points(inner, quantity)
            # Without a p-value nothing is known, and the method stays in the contest.
            alive = {each.algorithm for each in inner if not p[id(each)] <= 1 - level}
            winner[place] = names.index(best.algorithm)
            decided[place] = alive <= {best.algorithm}
    replicas = max(each.estimate.replicas for each in points)
    return PhaseMap(title, winner, decided, failed, replicas)


def arrange_speed_ups(
    points: Sequence[PointValue], x: str, by: str | None, quantity: PlottedQuantity
) -> tuple[VariedAxis, list[SettingCurve]]:
    """Return the axis of a setting and speed-ups over its first value.

    There is a curve for each algorithm and value of ``by``.  It compares the best point at the
    first value with the best at each other, replica by replica where both have as many.

    Raises:
        KavgError: if no point has the setting and a time to target.
    """
    timed = [point for point in with_settings(points, [x]) if point.time is not None]
    axis = axis_of(timed, x)
    curves = []
    for title, part in divide_points(timed, by).items():
        for name, inner in divide_points(part, ALGORITHM).items():
            bests = [best_point(at, quantity) if at else None for at in points_along(inner, axis)]
            ratios = [_compare_with(bests[0], each) for each in bests]
            failed = np.array([each is not None and each.has_failed for each in bests])
            label = ", ".join(dict.fromkeys(filter(None, (name, title))))
            curves.append(SettingCurve(label, stack_estimates(ratios), failed))
    return axis, curves


def _compare_with(first: PointValue | None, other: PointValue | None) -> Estimate | None:
    if first is None or other is None or first.time is None or other.time is None:
        return None
    # Exactly 1: there is nothing to estimate.
    if first is other and not first.has_failed:
        one, level = np.ones(()), first.estimate.level
        return Estimate(one, one, one, level, first.estimate.replicas)
    # Replicas of one number share their seeds, and else there is nothing to pair.
    is_paired = len(first.time.times) == len(other.time.times)
    return compare_times(first.time, other.time, paired=is_paired)
