"""Protocols of measures of rounds: quantities recorded on request, and what they remember.

A function of ``(n, w)`` is a ``Measure`` (``kavg.base.values``).  A measure of rounds sees more of
a round than its ``w``, and may remember: its memory is part of the run, stored and continued with
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, final, runtime_checkable

from kavg.base.values import Floats

LearnerPoint = Literal["displacements", "iterates"]
"""What is read of learners: where K steps took them, or the iterates that they go on from."""


@final
@dataclass(frozen=True, eq=False)
class RoundView:
    """What a measure sees of a round; all arrays are read-only.

    ``w (R, d)`` is the meta-iterate after ``n`` rounds; ``gamma`` and ``K`` are the step size and
    the number of local steps of round ``n``, NaN and 0 at the start.  ``displacement (R, d)`` is
    the mean displacement ``d_n`` of the round, for ``update`` of a measure that reads it, and None
    at the start and elsewhere.
    """

    n: int
    gamma: float
    K: int
    w: Floats
    displacement: Floats | None = None


class PlannedMeasure(Protocol):
    """A measure of one run, whose replicas are rows that must not depend on each other."""

    @property
    def width(self) -> int:
        """The numbers that it remembers of a replica; 0 for none."""
        ...

    @property
    def reads_displacement(self) -> bool:
        """True if ``update`` needs the mean displacement of every round."""
        ...

    def update(self, now: RoundView, memory: Floats) -> None:
        """Update ``memory (R, width)`` in place by the start (n = 0), and after every round.

        It is zero before the start.
        """
        ...

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return its series in a round that is recorded, ``(series, R)``.

        They follow from ``n``, ``gamma``, ``K``, ``w`` and ``memory`` alone: a run that is
        continued has no more of its last round.
        """
        ...


@runtime_checkable
class ReadsLearners(PlannedMeasure, Protocol):
    """A measure that reads numbers of each learner, and remembers their means over learners.

    ``memory[:, :count]`` are the means, set before ``update``; NaN at the start, and in rounds that
    are not recorded.  They cost one ``Allreduce`` in recorded rounds, for all such measures of one
    ``point`` together.
    """

    @property
    def point(self) -> LearnerPoint:
        """What it reads of learners."""
        ...

    @property
    def count(self) -> int:
        """The numbers of a learner and replica."""
        ...

    def read(self, offsets: Floats, out: Floats) -> None:
        """Write the numbers of some learners, of at least 0, to ``out (t, R, count)``.

        ``offsets (t, R, d)`` are displacements minus their mean, or iterates minus ``w``; they may
        not be overwritten.
        """
        ...


class RoundMeasure(Protocol):
    """A quantity, or several, of the rounds of a run; ``plan`` makes the measure of one run.

    The measures of kavg are in ``kavg.measures``.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its series."""
        ...

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedMeasure:
        """Allocate for the run of an ``Algorithm`` on a ``Problem`` with ``R`` replicas.

        ``seed`` is that of the run.  Raises ``KavgError`` if it has no meaning there.
        """
        ...
