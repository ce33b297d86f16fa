"""The distance of the learners' own iterates from the meta-iterate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kavg.base import Floats, KeepsIterates, LearnerPoint, PlannedMeasure, RoundView
from kavg.elementary.sums import SquareSums


@final
@dataclass(frozen=True)
class Consensus:
    """The consensus distance ``consensus2 = (1/P) sum_j ||x^j - w||^2`` after a round.

    ``x^j`` is the iterate that learner j goes on from, where learners keep their own (gossip,
    elastic averaging), and ``w`` the meta-iterate then.  The ``dispersion`` is that of their last
    iterates before any of them is averaged.  0 at the start, and in all rounds of methods whose
    learners go on from ``w``.  One more ``Allreduce`` in rounds that are recorded.

    >>> from kavg import Algorithm, Problem, aggregations, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> elastic = aggregations.ElasticAveraging(alpha=0.25)
    >>> method = Algorithm(2, K=1, gamma=1.0, outer=outer.Averaging(), aggregation=elastic)
    >>> simulate(problem, method, rounds=1, record=["consensus"]).consensus2[:, 0]
    array([0.    , 0.0625])
    """

    kind = "consensus"
    same_bits = "any machine"
    names = ("consensus2",)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedMeasure:
        """Return the measure of one run."""
        if isinstance(algorithm.aggregation, KeepsIterates):
            return PlannedConsensus()
        return CommonIterate()


@final
class PlannedConsensus:
    """The measure of a run whose learners keep iterates of their own."""

    width = count = 1
    reads_displacement = False
    point: LearnerPoint = "iterates"

    def __init__(self) -> None:
        self.square_sums = SquareSums()

    def read(self, offsets: Floats, out: Floats) -> None:
        """Write the squared lengths of ``offsets (t, R, d)``."""
        self.square_sums(offsets, out[..., 0])

    def update(self, now: RoundView, memory: Floats) -> None:
        """Keep the means over learners; all learners begin at ``w``."""
        if now.n == 0:
            memory.fill(0.0)

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the consensus distance, ``(1, R)``."""
        return memory.T


@final
class CommonIterate:
    """The measure of a run whose learners all go on from ``w``."""

    width = 0
    reads_displacement = False

    def update(self, now: RoundView, memory: Floats) -> None:
        """Remember nothing."""

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return zeros, ``(1, R)``."""
        return np.zeros((1, len(now.w)))
