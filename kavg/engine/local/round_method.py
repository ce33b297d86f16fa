"""What a round needs of an algorithm, and the numbers of its local steps."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from kavg.base import Aggregation, Floats, LocalOptimizer, Outer
from kavg.trajectory import State

StepSizes = float | Floats
"""The step size of a round: one of all rows, or an array ``(R, d)`` or ``(R, 1)``."""


class RoundSteps(NamedTuple):
    """The local steps of round ``n``: ``K`` of size ``gamma``, numbered from ``first`` on.

    Steps are numbered from 0 over the run and not the round, so that noise at a step is the same
    for every K (law 4).
    """

    n: int
    first: int
    K: int
    gamma: StepSizes


class StartingPoints(Protocol):
    """Points of their own from which learners take their steps."""

    def place_iterates(self, learners: range, x: Floats) -> None:
        """Write the points of these learners to ``x (t, R, d)``."""
        ...


class RoundMethod(Protocol):
    """What a round needs of an algorithm: an ``Algorithm`` has it, and several stacked in one."""

    @property
    def P(self) -> int:
        """The number of learners."""
        ...

    @property
    def optimizer(self) -> LocalOptimizer:
        """The rule of the local steps."""
        ...

    @property
    def aggregation(self) -> Aggregation:
        """Whose models are averaged."""
        ...

    @property
    def outer(self) -> Outer:
        """The outer rule, of all rows."""
        ...

    def is_restart(self, n: int) -> bool:
        """True if round ``n`` begins with a memory of zero."""
        ...

    def step_size(self, n: int) -> StepSizes:
        """Return the step size of round ``n``; another array if its numbers are others."""
        ...

    def count_local_steps(self, n: int) -> int:
        """Return the number of local steps of round ``n``."""
        ...

    def sum_local_steps(self, n: int) -> int:
        """Return the number of local steps of the first ``n`` rounds."""
        ...

    def adapt_period(self, n: int, K: int, dispersion: Floats) -> int | None:
        """Return the period of round ``n + 1`` if it adapts to round ``n``, else None."""
        ...


def count_steps(algorithm: RoundMethod, state: State) -> int:
    """Return the local steps that a learner has taken up to a state."""
    return int(algorithm.sum_local_steps(state.n) if state.steps is None else state.steps)
