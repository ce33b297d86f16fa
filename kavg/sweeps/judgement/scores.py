"""Scores of finished points, by which a stage keeps the best of each algorithm and cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any, final

import numpy as np

from kavg.config.config import Config
from kavg.storage.digests import digest
from kavg.sweeps.judgement.criteria import Criterion
from kavg.sweeps.judgement.trial_times import (
    TRIAL_LEVEL,
    TrialTime,
    keep_time,
    parse_trial_time,
)
from kavg.sweeps.points import Point
from kavg.sweeps.sweep import CellKey, cell_key
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory


@final
@dataclass(frozen=True)
class PointRecord:
    """What is kept of each finished point of a stage.

    ``reached`` is the cost at which the mean reached the target, None if it did not or there is no
    target; ``final`` is the mean of the quantity at the end, None if the run diverged, and
    ``samples`` are its values of the replicas.  ``gradients`` are those of all replicas; ``time``
    is that to the target with its interval, None without one or of a run that diverged.
    """

    number: int
    reached: float | None
    final: float | None
    samples: tuple[float | None, ...]
    digest: str
    diverged_at: int | None
    rounds: int
    gradients: int
    time: TrialTime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def parse_record(fields: Mapping[str, Any]) -> PointRecord:
    """Return the record of which ``to_json`` returned the fields.

    Raises ``ValueError``, ``KeyError`` or ``TypeError`` if they are not those of a record.
    """
    time = parse_trial_time(fields.get("time"))
    record = PointRecord(**{**fields, "samples": tuple(fields["samples"]), "time": time})
    counts = (record.number, record.rounds, record.gradients)
    numbers = (record.reached, record.final, *record.samples)
    is_right = (
        isinstance(record.digest, str)
        and all(type(count) is int for count in counts)
        and all(number is None or type(number) in (int, float) for number in numbers)
    )
    if not is_right:
        raise ValueError(f"it is no record of a finished point: {shorten_repr(fields)}")
    return record


def score_run(point: Point, config: Config, run: Trajectory, criterion: Criterion) -> PointRecord:
    """Return the record of a finished point; ``config`` is the point's in this stage."""
    end = criterion.series(run)[-1]
    if run.diverged_at is not None:
        end = np.full(run.replicas, inf)
    # The sum of finite numbers may not be finite.
    with np.errstate(over="ignore", invalid="ignore"):
        # Here, as the runs of all stages but the last are dropped.
        time = criterion.measure_cost(point, config, run, TRIAL_LEVEL)
        mean = float(end.mean())
    return PointRecord(
        number=point.number,
        reached=None if time is None else _drop_infinite(float(time.estimate.mean)),
        final=_drop_infinite(mean),
        samples=tuple(map(_drop_infinite, end.tolist())),
        digest=digest(run),
        diverged_at=run.diverged_at,
        rounds=int(run.rounds[-1]),
        gradients=int(run.gradients[-1]) * run.replicas,
        time=keep_time(time),
    )


def _drop_infinite(value: float) -> float | None:
    return value if isfinite(value) else None


def order_records(records: Sequence[PointRecord], criterion: Criterion) -> list[PointRecord]:
    """Return records with the best first: the soonest at the target, then by their final means."""
    rises = criterion.target is not None and criterion.target.increasing

    def key(record: PointRecord) -> tuple[float, float, int]:
        final = inf if record.final is None else (-record.final if rises else record.final)
        return inf if record.reached is None else record.reached, final, record.number

    return sorted(records, key=key)


def keep_best(
    points: Sequence[Point],
    records: Sequence[PointRecord],
    keep: int | None,
    criterion: Criterion,
) -> list[Point]:
    """Return the ``keep`` best points of each algorithm and cell, in the order of the points."""
    if keep is None:
        return list(points)
    keys = {point.number: cell_key(point) for point in points}
    counts: Counter[CellKey] = Counter()
    kept: set[int] = set()
    for record in order_records(records, criterion):
        counts[keys[record.number]] += 1
        if counts[keys[record.number]] <= keep:
            kept.add(record.number)
    return [point for point in points if point.number in kept]


def describe_record(record: PointRecord, criterion: Criterion) -> str:
    """Return what a point has reached, in words."""
    if record.diverged_at is not None:
        return f"diverged at round {record.diverged_at}"
    if record.reached is not None:
        return f"{criterion.target} after {record.reached:.4g} {criterion.axis}"
    return f"{criterion.quantity} {inf if record.final is None else record.final:.4g}"
