"""Spreading of a stage over ranks: its batches, or the learners of each batch.

Both give the same bits with the exact mean.  Over batches, each rank runs batches of its own and
they need no messages; over learners, all ranks share each batch and meet in every round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, final

from kavg.config.config import Config
from kavg.sweeps.execution.batches import PointBatch, plan_point_batches
from kavg.sweeps.points import Point

SpreadName = Literal["batches", "learners"]

STEP: Final = 3e-9
"""Seconds of one number in a local step, without its noise."""
DRAW: Final = 2e-9
"""Seconds of one number drawn, once for all points of a batch."""
ROUND: Final = 1.2e-4
"""Seconds of a round of a batch beside its steps: the calls of NumPy, which ranks do not share."""
POINT: Final = 1.5e-5
"""Seconds of a point in a round beside its steps: outer rule, measures, records."""
MEETING: Final = 2e-5
"""Seconds of one Allreduce."""
SENT: Final = 1e-9
"""Seconds of one number in it."""
LONG: Final = 60.0
"""Seconds of a batch that is cut: what is lost of a sweep that is killed."""
PRICE: Final = 1.1
"""The time of all parts of a batch that is cut, at most, relative to the time of it as a whole."""


@final
@dataclass(frozen=True)
class Spreading:
    """How the batches of a stage are spread over ``size`` ranks, and the estimates behind it.

    ``seconds`` are the estimated times by name.  ``waves`` are the indices of batches that are run
    at the same time, one a rank; over learners each batch is a wave.
    """

    over: SpreadName
    size: int
    seconds: dict[SpreadName, float]
    waves: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        """Return the choice in words.

        >>> str(Spreading("batches", 4, {}, ()))
        '4 ranks, each with batches of its own'
        """
        if self.size == 1:
            return "one rank"
        shared = "that share the learners of each batch"
        apart = "each with batches of its own"
        return f"{self.size} ranks{', ' if self.over == 'batches' else ' '}" + (
            apart if self.over == "batches" else shared
        )


def plan_stage(
    points: Sequence[Point], configs: Sequence[Config], size: int, wanted: SpreadName | None = None
) -> tuple[list[PointBatch], Spreading]:
    """Divide points into batches and spread these, in the way that is estimated to be faster.

    ``configs`` are those of the points in the stage; ``wanted`` decides where it is given.  With
    ``mean = "allreduce"`` last bits depend on the ranks that share the learners, so these are
    spread over all ranks, as ``kavg run`` does.
    """
    if size > 1 and any(config.mean == "allreduce" for config in configs):
        wanted = "learners"
    large = _cut_long(plan_point_batches(points, configs), size)
    # Each rank needs a batch of its own.
    small = _cut_long(plan_point_batches(points, configs, most=max(1, -(-len(points) // size))))
    waves = plan_waves([estimate_seconds(batch) for batch in small], size)
    seconds: dict[SpreadName, float] = {
        "batches": sum(max(estimate_seconds(small[i]) for i in wave) for wave in waves),
        "learners": sum(estimate_seconds(batch, size) for batch in large),
    }
    faster: SpreadName = "batches" if seconds["batches"] <= seconds["learners"] else "learners"
    over = wanted or faster
    if over == "batches":
        return small, Spreading(over, size, seconds, tuple(waves))
    return large, Spreading(over, size, seconds, tuple((i,) for i in range(len(large))))


def _cut_long(batches: Sequence[PointBatch], size: int = 1) -> list[PointBatch]:
    """Cut batches that take longer than ``LONG``, so that checkpoints can be written in between.

    Points that run together share draws and calls, so a batch is cut only as long as that costs no
    more than ``PRICE``.
    """
    return [part for batch in batches for part in _cut_batch(batch, size)]


def _cut_batch(batch: PointBatch, size: int) -> list[PointBatch]:
    points, whole = len(batch.points), estimate_seconds(batch, size)
    count = min(points, max(1, ceil(whole / LONG)))
    while True:
        parts = [
            batch.select(range(points * i // count, points * (i + 1) // count))
            for i in range(count)
        ]
        if count == 1 or sum(estimate_seconds(part, size) for part in parts) <= PRICE * whole:
            return parts
        count = count * 3 // 4


def estimate_seconds(batch: PointBatch, size: int = 1) -> float:
    """Return the estimated time of a batch whose learners are spread over ``size`` ranks."""
    P, points = batch.batch.algorithms[0].P, len(batch.points)
    share = -(-P // size) / P
    work = batch.steps * batch.width * (STEP + DRAW / points) * share
    meeting = (MEETING + SENT * points * batch.width) if size > 1 else 0.0
    return batch.batch.rounds * (ROUND + points * POINT + work + meeting)


def plan_waves(seconds: Sequence[float], size: int) -> list[tuple[int, ...]]:
    """Return the batches that are run at the same time, the longest first.

    Batches of like length stand side by side, so that ranks wait little for each other.

    >>> plan_waves([1.0, 3.0, 2.0], size=2)
    [(1, 2), (0,)]
    """
    order = sorted(range(len(seconds)), key=lambda i: (-seconds[i], i))
    return [tuple(order[first : first + size]) for first in range(0, len(order), size)]
