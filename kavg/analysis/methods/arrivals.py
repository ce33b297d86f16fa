"""Times of single replicas to a target, where some did not arrive: their median and mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from kavg.analysis.estimate import Estimate
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import TargetTime, median_time, restricted_mean


@final
@dataclass(frozen=True, eq=False)
class Arrivals:
    """The times of a method's replicas: their ``median``, and ``mean`` of ``min(time, until)``.

    ``until`` is one for all methods of a group: the least time at which a replica is censored.
    """

    median: Estimate
    mean: Estimate
    until: float


def summarize_arrivals(readings: Sequence[Reading]) -> list[Arrivals | None]:
    """Return the arrivals of each reading; None for one without a time, as it diverged.

    Empty if each method has all of its replicas arrived, or none: the times of the means say it
    all.
    """
    times = [each.time for each in readings if each.time is not None]
    if all(each.reached.all() or not each.reached.any() for each in times):
        return []
    until = min(each.censored_at for each in times if not each.reached.all())
    return [None if each.time is None else _summarize(each.time, until) for each in readings]


def _summarize(time: TargetTime, until: float) -> Arrivals:
    level = time.estimate.level
    median = median_time(time.times, time.reached, level)
    return Arrivals(median, restricted_mean(time.times, time.reached, until, level), until)
