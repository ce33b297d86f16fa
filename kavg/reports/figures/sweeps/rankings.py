"""Which method wins, and by how much: the cells of a phase diagram, and speed-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.analysis.targets import TargetTime, compare_times
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

ROUNDING: Final = 1e-9
"""Relative excess over the probability of an error that counts as rounding."""


def arrange_phases(
    points: Sequence[PointValue],
    axes: tuple[str, str],
    by: Sequence[str],
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
            alive = {each.algorithm for each in _list_contenders(inner, quantity, level)}
            winner[place] = names.index(best.algorithm)
            decided[place] = alive <= {best.algorithm}
    replicas = max(each.estimate.replicas for each in points)
    return PhaseMap(title, winner, decided, failed, replicas)


def _list_contenders(
    points: Sequence[PointValue], quantity: PlottedQuantity, level: float
) -> list[PointValue]:
    """The points that may be the truly best one, at a level."""
    if any(each.time is None and not each.has_failed for each in points):
        p = compare_points(points, quantity)
        # Without a p-value nothing is known, and the method stays in the contest.
        return [each for each in points if not p[id(each)] <= 1 - level]
    # By the times of the means, which are compared and drawn, and not those of the replicas.
    timed = [(each, each.time) for each in points if each.time is not None]
    rivals = [_raise_level(time, len(timed) - 1, level) for _, time in timed]
    return [
        point
        for (point, _), time in zip(timed, rivals, strict=True)
        if time is None or not any(_is_later(time, other) for other in rivals if other is not None)
    ]


def _raise_level(time: TargetTime, rivals: int, level: float) -> TargetTime | None:
    """The time with an interval wide enough for so many rivals (Bonferroni); None if none is."""
    low, high = map(np.asarray, time.bounds)
    wide = replace(time.estimate, low=low, high=high, level=(1 + time.estimate.level) / 2)
    for estimate in (time.estimate, wide):
        # A rival is later beyond one end of an interval.
        if rivals * (1 - estimate.level) / 2 <= (1 - level) * (1 + ROUNDING):
            return replace(time, estimate=estimate)
    return None


def _is_later(time: TargetTime, other: TargetTime) -> bool:
    """True if a time is later than another, by the interval of their ratio."""
    return bool(_divide_times(time, other).low > 1)


def _divide_times(first: TargetTime, other: TargetTime) -> Estimate:
    # Replicas of one number share their seeds, and else there is nothing to pair.
    return compare_times(first, other, paired=len(first.times) == len(other.times))


def arrange_speed_ups(
    points: Sequence[PointValue], x: str, by: Sequence[str], quantity: PlottedQuantity
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
        for name, inner in divide_points(part, [ALGORITHM]).items():
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
    return _divide_times(first.time, other.time)
