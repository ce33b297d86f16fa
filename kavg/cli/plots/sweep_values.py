"""The values of the points of a sweep folder, of one of its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from kavg.base import Floats
from kavg.cli.plots.last_stage import LEVEL, measure_last_stage
from kavg.cli.plots.options import Content, Kind, View
from kavg.cli.sweeps.finished import read_finished_sweep
from kavg.cli.sweeps.trial_values import value_trial
from kavg.errors import KavgError
from kavg.reports.figures.sweeps.arrangement import ALGORITHM
from kavg.reports.figures.sweeps.plotted_quantity import PlottedQuantity, name_cost, plot_final
from kavg.reports.figures.sweeps.point_values import PointValue, final_value
from kavg.storage.text_files import read_json
from kavg.sweeps.judgement.trial_times import parse_trial_time
from kavg.targets import Target

JUDGED: Final = (Kind.SPEED_UP, Kind.PHASE)
"""Kinds that compare winners, which the last stage has judged."""


@final
@dataclass(frozen=True, eq=False)
class StageValues:
    """What a figure of a sweep shows: the points of a stage, their quantity, and a note on them.

    ``problem`` are the varied settings of the problem.
    """

    points: Sequence[PointValue]
    quantity: PlottedQuantity
    note: str
    problem: Sequence[str] = ()


def load_stage(folder: Path, content: Content, view: View) -> StageValues:
    """Load the values of the points of a stage of a finished sweep.

    Without ``view.stage`` it is the first, in which all points were tried, or the last for
    ``JUDGED`` kinds, whose winners then have the settings of their cells alone.

    Raises:
        KavgError: There is no such stage, or it has not kept what ``content`` asks for.
    """
    found = read_json(folder / "sweep.json")
    stages = found.get("stages")
    if not isinstance(stages, list) or not stages:
        raise KavgError(f"{str(folder / 'sweep.json')!r} has no stages; run the settings again")
    count = len(stages)
    is_judged = view.kind in JUDGED
    chosen = (count if is_judged else 1) if view.stage is None else view.stage
    if not 1 <= chosen <= count:
        raise KavgError(
            f"--stage must be from 1 to {count}, the stages of this sweep, got {chosen}"
        )
    if chosen == count:
        note = _note_stage(found, chosen - 1)
        finished = read_finished_sweep(folder, reads_data=False)
        points, quantity = measure_last_stage(finished, content)
        asked = {view.x, view.y, view.by} - {None, ALGORITHM}
        if is_judged and asked <= set(finished.points[0].cell):
            cells = [point.cell for point in finished.points]
            points = [replace(p, settings=c) for p, c in zip(points, cells, strict=True)]
        return StageValues(points, quantity, note, _list_problem(found))
    if content.target is not None or content.axis is not None:
        raise KavgError(
            f"stage {chosen} of this sweep keeps the ends of its runs alone, so there is no other "
            f"target or axis; use --stage {count}"
        )
    wanted = content.quantity or [found["quantity"]]
    if wanted != [found["quantity"]]:
        raise KavgError(
            f"stage {chosen} of this sweep keeps {found['quantity']} alone, got {wanted}; "
            f"use --stage {count}"
        )
    return list_stage_values(found, chosen - 1, by_target=not content.quantity)


def list_stage_values(
    content: Mapping[str, Any], stage: int, *, by_target: bool = True
) -> StageValues:
    """Return the values of a stage, from 0, as ``sweep.json`` has them.

    They are the costs until the target, if there is one, else the quantity at the end of runs.

    Raises:
        KavgError: Something is missing in ``content``.
    """
    try:
        target = content["target"] if by_target else None
        return _list_times(content, stage) if target else _list_ends(content, stage)
    except (LookupError, TypeError, ValueError) as error:
        raise KavgError(f"sweep.json has not what a figure needs: {error!r}") from None


def _list_ends(content: Mapping[str, Any], stage: int) -> StageValues:
    quantity = plot_final(content["quantity"])
    points = [
        final_value(name, settings, _fill_gaps(samples), quantity, LEVEL)
        for name, settings, samples in _zip_points(content, stage, "samples")
    ]
    note = _note_stage(content, stage)
    return StageValues(points, quantity, note, _list_problem(content))


def _list_times(content: Mapping[str, Any], stage: int) -> StageValues:
    target = Target(**content["target"])
    replicas = int(content["stages"][stage]["replicas"])
    part = content["stages"][stage]
    # A sweep of kavg 0.5.0 has none.
    times = part.get("times") or [None] * len(part["points"])
    points = [
        value_trial(name, settings, reached, parse_trial_time(time), replicas)
        for (name, settings, reached), time in zip(
            _zip_points(content, stage, "reached"), times, strict=True
        )
    ]
    note = _note_stage(content, stage)
    return StageValues(points, name_cost(content["axis"], target), note, _list_problem(content))


def _list_problem(content: Mapping[str, Any]) -> list[str]:
    # Sweeps of kavg 0.5.0 do not have it.
    return list(map(str, content.get("problem", ())))


def _zip_points(
    content: Mapping[str, Any], stage: int, key: str
) -> Iterator[tuple[str, Mapping[str, object], Any]]:
    points = {point["number"]: point for point in content["points"]}
    part = content["stages"][stage]
    for number, value in zip(part["points"], part[key], strict=True):
        yield points[number]["algorithm"], points[number]["settings"], value


def _fill_gaps(samples: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in samples], np.float64)


def _note_stage(content: Mapping[str, Any], stage: int) -> str:
    part, count = content["stages"][stage], len(content["stages"])
    place = f"stage {stage + 1} of {count}, " if count > 1 else ""
    return f"{place}seed {part['seed']}"
