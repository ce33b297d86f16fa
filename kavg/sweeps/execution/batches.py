"""Batches of a sweep: points that share a problem and its noise, and run in the same arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, final

import numpy as np

from kavg.base import AdaptivePeriod, Communicator
from kavg.config.config import Config
from kavg.engine.batch import Batch, plan_batches, run_batch
from kavg.problem import Algorithm
from kavg.sweeps.points import Point
from kavg.trajectory import Trajectory

Watcher = Callable[[int, int], None]
"""Called on each rank after a round, with its number and the sum of the ranks' requests."""
SAMPLED: Final = 16
"""Rounds of a K that changes from which the work of a point is estimated."""


@final
@dataclass(frozen=True, eq=False)
class PointBatch:
    """Points of one stage that are run together, with their configs in that stage."""

    points: tuple[Point, ...]
    configs: tuple[Config, ...]
    batch: Batch

    @property
    def steps(self) -> float:
        """Local steps of all learners of all points in a round, ``sum_i P_i K_i``.

        Where K changes it is the mean over some rounds; where it adapts, that of the first.
        """
        N = self.batch.rounds
        return sum(each.P * _average_period(each, N) for each in self.batch.algorithms)

    @property
    def width(self) -> int:
        """The numbers in a step of one learner, ``R d``."""
        return self.batch.options.replicas * self.batch.problem.dim

    @property
    def work(self) -> float:
        """The numbers that all local steps write, as a measure of the batch's length."""
        return float(self.batch.rounds) * self.steps * self.width

    def select(self, places: Sequence[int]) -> PointBatch:
        """Return the batch of the points at some places."""
        algorithms = tuple(self.batch.algorithms[i] for i in places)
        indices = tuple(self.batch.indices[i] for i in places)
        return PointBatch(
            tuple(self.points[i] for i in places),
            tuple(self.configs[i] for i in places),
            replace(self.batch, algorithms=algorithms, indices=indices),
        )


def _average_period(algorithm: Algorithm, rounds: int) -> float:
    if not callable(algorithm.K) or isinstance(algorithm.K, AdaptivePeriod):
        return algorithm.count_local_steps(1)
    # Some of them, as the display asks for it in every round.
    return fmean(map(algorithm.count_local_steps, range(1, rounds + 1, max(1, rounds // SAMPLED))))


def plan_point_batches(
    points: Sequence[Point], configs: Sequence[Config], most: int | None = None
) -> list[PointBatch]:
    """Divide the points of a stage, at most ``most`` a batch, as ``plan_batches`` of the engine.

    ``configs`` are those of the points in this stage.
    """
    groups: dict[object, list[int]] = {}
    for i, config in enumerate(configs):
        # Points of one problem share its parts; two that are equal merely make two batches.
        parts = (id(config.objective), id(config.oracle), id(config.start))
        groups.setdefault((parts, config.options, config.record), []).append(i)
    return [
        PointBatch(
            tuple(points[group[i]] for i in batch.indices),
            tuple(configs[group[i]] for i in batch.indices),
            batch,
        )
        for group in groups.values()
        for batch in _plan_group([configs[i] for i in group], most)
    ]


def _plan_group(configs: Sequence[Config], most: int | None) -> list[Batch]:
    first = configs[0]
    return plan_batches(
        first.problem,
        [config.algorithms[0] for config in configs],
        [config.rounds for config in configs],
        first.options,
        every=first.record.every,
        most=most,
        measures=first.record.round_measures,
    )


def run_point_batch(
    batch: PointBatch, comm: Communicator, request: Callable[[], int], watch: Watcher
) -> list[Trajectory]:
    """Run the points of a batch to their ends, one trajectory each, without stored states.

    ``watch`` is called after each round, and ends the batch by an exception.  A point that diverges
    does not end the others.
    """
    runs = run_batch(batch.batch, comm, watch, request)
    # A point is run again from its start; states, and what measures remember, would make up most
    # of a large table.
    return [replace(run, states=(), measure_memory=np.empty(0)) for run in runs]
