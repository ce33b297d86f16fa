"""The distance of the meta-iterate from the best point known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kavg.base import Floats, HasMinimiser, RoundView
from kavg.elementary.sums import sum_squares
from kavg.errors import KavgError
from kavg.ranges import Finite, check_ranges


@final
@dataclass(frozen=True)
class Distance:
    """The squared distance ``distance2 = ||w - w*||^2`` from the best point known.

    ``point`` is ``w*``, a number for each coordinate or one for all; None is the minimiser of the
    objective, if that has a single one that is known (``kavg.base.HasMinimiser``).

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic((1.0, 0.0)), oracles.Noiseless(), start=2.0)
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=outer.Averaging())
    >>> simulate(problem, method, rounds=1, record=[Distance(point=0.0)]).distance2[:, 0]
    array([8., 5.])
    """

    kind = "distance"
    same_bits = "any machine"
    names = ("distance2",)
    point: Finite | tuple[Finite, ...] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedDistance:
        """Return the measure of one run.

        Raises ``KavgError`` if there is no point, or if it has another number of coordinates.
        """
        return PlannedDistance(self.find_point(problem.objective))

    def find_point(self, objective: Any) -> Floats:
        """Return ``w*`` of an objective, ``(d,)``.

        Raises ``KavgError`` as ``plan``.
        """
        d = int(objective.dim)
        if self.point is not None:
            given = np.array(self.point, np.float64)
        else:
            known = objective.minimiser if isinstance(objective, HasMinimiser) else None
            given = np.array(np.nan if known is None else known, np.float64)
        if np.isnan(given).any():
            raise KavgError(
                f"the distance needs a point, as {type(objective).__name__} has no single "
                "minimiser that is known; give point, a number or a list of coordinates"
            )
        if given.shape not in ((), (d,)):
            raise KavgError(
                f"the point of the distance must be one number or {d} of them, got {len(given)}"
            )
        return np.broadcast_to(given, (d,)).copy()


@final
class PlannedDistance:
    """The measure of one run; it remembers nothing."""

    width = 0
    reads_displacement = False

    def __init__(self, point: Floats) -> None:
        self.point = point

    def update(self, now: RoundView, memory: Floats) -> None:
        """Remember nothing."""

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the squared distance, ``(1, R)``."""
        return sum_squares(now.w - self.point)[None]
