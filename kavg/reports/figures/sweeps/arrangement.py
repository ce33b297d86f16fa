"""The points of a sweep arranged as figures need them: along one axis, or over two.

Where several points share a place, as those that differ in what was tuned, the best one stands for
all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from kavg.analysis.best_set import best_set_p_values
from kavg.analysis.estimate import Estimate
from kavg.base import Floats
from kavg.reports.figures.sweeps.heat_map import HeatMap
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity
from kavg.reports.figures.sweeps.point_values import (
    PointValue,
    as_key,
    axis_of,
    best_point,
    with_settings,
)
from kavg.reports.figures.sweeps.setting_axis import VariedAxis, name_setting
from kavg.reports.figures.sweeps.setting_curve import SettingCurve
from kavg.reports.figures.sweeps.small_multiples import SettingPanel

ALGORITHM: Final = "algorithm"
"""The name by which points are divided into those of each algorithm, beside settings."""
Cells = dict[tuple[int, int], list[PointValue]]


def divide_points(points: Sequence[PointValue], by: Sequence[str]) -> dict[str, list[PointValue]]:
    """Return the points with each combination of values of some settings, by a title.

    Points without a setting, as K-AVG has no mu, are in the parts of all its values.  Without
    settings all are one part, with the title ``""``.
    """
    if not by:
        return {"": list(points)}
    parts = {
        (title, inner): found
        for title, part in _divide_by_one(points, by[0]).items()
        for inner, found in divide_points(part, by[1:]).items()
    }
    return {", ".join(filter(None, titles)): found for titles, found in parts.items() if found}


def _divide_by_one(points: Sequence[PointValue], by: str) -> dict[str, list[PointValue]]:
    if by == ALGORITHM:
        names = dict.fromkeys(point.algorithm for point in points)
        return {name: [each for each in points if each.algorithm == name] for name in names}
    axis = axis_of(points, by)
    return {
        name_setting(by, value): [
            each for each in points if as_key(each.settings.get(by, value)) == value
        ]
        for value in axis.values
    }


def arrange_curves(
    points: Sequence[PointValue], x: str, by: Sequence[str], quantity: PlottedQuantity
) -> tuple[VariedAxis, list[SettingPanel]]:
    """Return the axis of a setting and a panel for each value of ``by``, a curve an algorithm.

    Raises:
        KavgError: if no point has the settings.
    """
    axis = axis_of(points, x)
    panels = []
    for title, part in divide_points(with_settings(points, [x]), by).items():
        curves = [
            _make_curve(name, inner, axis, quantity)
            for name, inner in divide_points(part, [ALGORITHM]).items()
        ]
        panels.append(SettingPanel(title, tuple(curves)))
    return axis, panels


def _make_curve(
    name: str, points: Sequence[PointValue], axis: VariedAxis, quantity: PlottedQuantity
) -> SettingCurve:
    chosen = [best_point(at, quantity) if at else None for at in points_along(points, axis)]
    failed = np.array([each is not None and each.has_failed for each in chosen])
    estimate = stack_estimates([None if each is None else each.estimate for each in chosen])
    values = quantity.sign * np.where(failed, np.nan, estimate.mean)
    best = int(np.nanargmin(values)) if np.isfinite(values).any() else None
    return SettingCurve(name, estimate, failed, best if len(axis.values) > 1 else None)


def points_along(points: Sequence[PointValue], axis: VariedAxis) -> list[list[PointValue]]:
    """Return the points at each value of an axis; all of them have its setting."""
    return [
        [each for each in points if as_key(each.settings[axis.name]) == value]
        for value in axis.values
    ]


def stack_estimates(estimates: Sequence[Estimate | None]) -> Estimate:
    """Numbers with their intervals as one estimate ``(n,)``, NaN where there is none."""
    known = [each for each in estimates if each is not None]
    mean, low, high = (
        np.array([np.nan if each is None else float(getattr(each, end)) for each in estimates])
        for end in ("mean", "low", "high")
    )
    level = known[0].level if known else 0.95
    return Estimate(mean, low, high, level, max((each.replicas for each in known), default=1))


def arrange_maps(
    points: Sequence[PointValue],
    axes: tuple[str, str],
    by: Sequence[str],
    quantity: PlottedQuantity,
) -> tuple[tuple[VariedAxis, VariedAxis], list[HeatMap]]:
    """Return the axes of two settings (x, y), and a map for each algorithm and value of ``by``.

    An algorithm that has one of the two alone, as K-AVG has no mu, is a row or column of its own in
    every map, called by its name.  A cell may hold the truly best point of its map if one of its
    points may (``best_set_p_values`` over all points of the map).

    Raises:
        KavgError: if no point has the settings.
    """
    inside = with_settings(points, axes)
    strips = [_name_missing(each, axes) for each in points if lacks_one(each, axes)]
    shown = [*strips, *inside] if inside else list(points)
    x, y = (axis_of(shown, name) for name in axes)
    names = dict.fromkeys(point.algorithm for point in inside)
    maps = []
    for title, part in divide_points(shown, by).items():
        for name in names:
            inner = [each for each in part if each.algorithm not in names or each.algorithm == name]
            heading = ", ".join(dict.fromkeys(filter(None, (name, title))))
            maps.append(_make_map(heading, inner, (x, y), quantity))
    return (x, y), maps


def lacks_one(point: PointValue, axes: tuple[str, str]) -> bool:
    """True if a point has exactly one of two settings."""
    return sum(name in point.settings for name in axes) == 1


def _name_missing(point: PointValue, axes: tuple[str, str]) -> PointValue:
    missing = next(name for name in axes if name not in point.settings)
    return replace(point, settings={**point.settings, missing: point.algorithm})


def _make_map(
    title: str,
    points: Sequence[PointValue],
    axes: tuple[VariedAxis, VariedAxis],
    quantity: PlottedQuantity,
) -> HeatMap:
    shape = (len(axes[1].values), len(axes[0].values))
    values, p = np.full(shape, np.nan), np.full(shape, np.nan)
    failed = np.zeros(shape, np.bool_)
    known = compare_points(points, quantity)
    for place, inner in fill_cells(points, axes).items():
        best = best_point(inner, quantity)
        values[place], failed[place] = best.mean, best.has_failed
        # The cell may hold the best point if one of its points may be it.
        p[place] = max(known[id(each)] for each in inner)
    replicas = max(each.estimate.replicas for each in points)
    return HeatMap(title, values, failed, p if np.isfinite(p).any() else None, replicas)


def fill_cells(points: Sequence[PointValue], axes: tuple[VariedAxis, VariedAxis]) -> Cells:
    """The points in each cell (row, column) that has any."""
    cells: Cells = {}
    x, y = axes
    for point in points:
        row, column = (a.find([as_key(point.settings[a.name])])[0] for a in (y, x))
        cells.setdefault((int(row), int(column)), []).append(point)
    return cells


def compare_points(points: Sequence[PointValue], quantity: PlottedQuantity) -> dict[int, float]:
    """The p-value of each point, by identity; NaN where replicas are unknown or differ in number.

    A point that failed has p-value 0.
    """
    # Pairs need the same replicas on both sides.
    counts = {len(each.samples) for each in points}
    if len(counts) != 1 or 0 in counts:
        return {id(each): np.nan for each in points}
    samples = np.array([each.samples for each in points])
    samples[[each.has_failed for each in points]] = np.nan
    p: Floats = best_set_p_values(quantity.sign * samples)
    return {id(each): float(value) for each, value in zip(points, p, strict=True)}
