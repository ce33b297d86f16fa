"""Results of a finished sweep: the best points of each algorithm and cell, on fresh noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, final

from kavg.analysis.estimate import Estimate, clip_interval
from kavg.analysis.fieller import ratio_interval
from kavg.analysis.quantities import find_range, quantity_interval
from kavg.analysis.simultaneous import simultaneous_level
from kavg.analysis.targets import TargetTime, compare_times
from kavg.config.config import Config
from kavg.sweeps.judgement.criteria import Criterion
from kavg.sweeps.judgement.findings import Findings, configure_points
from kavg.sweeps.judgement.scores import order_records
from kavg.sweeps.points import Point
from kavg.sweeps.sweep import CellKey, cell_key
from kavg.trajectory import Trajectory

LEVEL: Final = 0.95
"""The level of all intervals."""


@final
@dataclass(frozen=True, eq=False)
class Winner:
    """The best point of an algorithm in a cell, as the last stage found it.

    ``config`` is its config there and ``place`` the index of its run among those of the stage.
    ``trials`` points of the group were tried, and ``gradients`` computed for them in all stages
    and looks.
    ``rivals`` is the number of points that the last stage chose from; with more than one, the
    winner was chosen on the noise that it is judged on.  ``value`` is the mean of the quantity at
    the end; ``time`` the cost until the target, if there is one.
    """

    point: Point
    config: Config
    place: int
    run: Trajectory
    trials: int
    gradients: int
    rivals: int
    value: Estimate
    time: TargetTime | None


@final
@dataclass(frozen=True, eq=False)
class SpeedUp:
    """The first algorithm over another in the same cell, paired by replica.

    With a target it is the cost until it is reached, that of ``baseline`` over that of ``winner``;
    without, the mean of the quantity at the end.  ``estimate`` holds at a level for all speed-ups
    of a sweep together.
    """

    baseline: Winner
    winner: Winner
    estimate: Estimate


@final
@dataclass(frozen=True, eq=False)
class SweepResult:
    """The winners of a finished sweep, in the order of the points, and their speed-ups."""

    winners: tuple[Winner, ...]
    speed_ups: tuple[SpeedUp, ...]
    level: float = LEVEL

    def find_speed_up(self, winner: Winner) -> SpeedUp | None:
        """Return the speed-up of a winner over the first algorithm; None if there is none."""
        return next((each for each in self.speed_ups if each.winner is winner), None)


def judge_sweep(findings: Findings, level: float = LEVEL) -> SweepResult:
    """Return the winners of a sweep whose last stage is finished."""
    points = findings.choose_points(len(findings.records) - 1)
    groups: dict[CellKey, list[int]] = {}
    for i, point in enumerate(points):
        groups.setdefault(cell_key(point), []).append(i)
    spent = sum_spent(findings)
    winners = [
        _judge_group(findings, points, group, spent[key], level) for key, group in groups.items()
    ]
    return SweepResult(
        tuple(winners), _compare_with_first(winners, findings.criterion, level), level
    )


def _judge_group(
    findings: Findings,
    points: Sequence[Point],
    group: Sequence[int],
    spent: tuple[int, int],
    level: float,
) -> Winner:
    criterion, last = findings.criterion, len(findings.records) - 1
    places = {points[i].number: i for i in group}
    best = order_records([findings.records[last][number] for number in places], criterion)[0]
    place = places[best.number]
    point, run = points[place], findings.runs[best.number]
    (config,) = configure_points([point], findings.sweep, last)
    return Winner(
        point=point,
        config=config,
        place=place,
        run=run,
        trials=spent[0],
        gradients=spent[1],
        rivals=len(group),
        value=quantity_interval(criterion.quantity, criterion.series(run)[-1], level),
        time=criterion.measure_cost(point, config, run, level),
    )


def sum_spent(findings: Findings) -> Mapping[CellKey, tuple[int, int]]:
    """Return the trials, and the gradients of all stages and looks, by algorithm and cell."""
    keys = {point.number: cell_key(point) for point in findings.sweep.points}
    spent: dict[CellKey, tuple[int, int]] = {}
    for stage, records in enumerate(findings.records):
        for number, record in records.items():
            trials, gradients = spent.get(keys[number], (0, 0))
            spent[keys[number]] = trials + (stage == 0), gradients + record.gradients
    for number, more in findings.earlier:
        trials, gradients = spent[keys[number]]
        spent[keys[number]] = trials, gradients + more
    return spent


def _compare_with_first(
    winners: Sequence[Winner], criterion: Criterion, level: float
) -> tuple[SpeedUp, ...]:
    pairs = [
        (baseline, winner)
        for winner in winners
        if (baseline := _find_baseline(winner, winners)) is not None
    ]
    # All intervals hold together, whatever the runs of several pairs have in common.
    each = simultaneous_level(level, max(1, len(pairs)))
    return tuple(
        SpeedUp(baseline, winner, estimate)
        for baseline, winner in pairs
        if (estimate := _compare_winners(baseline, winner, criterion, each)) is not None
    )


def _find_baseline(winner: Winner, winners: Sequence[Winner]) -> Winner | None:
    """Return the winner of the first algorithm whose cell agrees in all settings both have."""
    first, cell = winners[0].point.algorithm, winner.point.cell
    if winner.point.algorithm == first:
        return None
    found = [
        each
        for each in winners
        if each.point.algorithm == first
        and all(
            each.point.cell[name] == cell[name] for name in cell.keys() & each.point.cell.keys()
        )
    ]
    # The cell of the first may have settings that the other algorithm lacks.
    return found[0] if len(found) == 1 else None


def _compare_winners(a: Winner, b: Winner, criterion: Criterion, level: float) -> Estimate | None:
    if criterion.target is None:
        if a.run.diverged_at is not None or b.run.diverged_at is not None:
            return None
        found = ratio_interval(criterion.series(a.run)[-1], criterion.series(b.run)[-1], level)
        # No ratio of two quantities that are not negative is.
        lowest = find_range(criterion.quantity)[0]
        return clip_interval(found, 0.0 if lowest >= 0 else -inf, inf)
    first, second = (criterion.measure_cost(x.point, x.config, x.run, level) for x in (a, b))
    return None if first is None or second is None else compare_times(first, second, paired=True)
