"""What is run: a problem, and an algorithm on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from kavg.base import Floats, Objective, Oracle, Outer, Schedule, Start
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges


@dataclass(frozen=True)
class Problem:
    """What is minimised: an objective, the oracle that gives its gradients, and where to start.

    ``start`` is one number for all coordinates, one number for each, or a rule that draws a point
    for each replica (``kavg.starts``).
    """

    objective: Objective
    oracle: Oracle
    start: float | tuple[float, ...] | Start = 0.0

    def first_iterate(self, seed: int, R: int) -> Floats:
        """``w_1``, shape ``(R, d)``, whatever form ``start`` has."""
        dim, start = self.objective.dim, self.start
        if isinstance(start, (int, float, tuple, list, np.ndarray)):
            given = np.asarray(start, np.float64)
            if given.shape not in ((), (dim,)) or not np.isfinite(given).all():
                raise KavgError(
                    f"start must be one finite number or {dim} of them (one for each coordinate), "
                    f"got {str(start)[:60]} of shape {given.shape}"
                )
            return np.broadcast_to(given, (R, dim)).copy()
        rule: Start = start
        return rule.draw(seed, R, dim)


@dataclass(frozen=True)
class Algorithm:
    """How it is minimised: ``P`` learners, ``K`` steps of ``gamma``, then the outer rule.

    ``gamma`` is a number or a schedule, a function of the round ``n = 1, 2, ...``.
    """

    P: Annotated[Count, "use P=1 for a single learner"]
    K: Annotated[Count, "use K=1 for synchronous SGD"]
    gamma: Positive | Schedule
    outer: Outer
    name: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)

    def step_size(self, n: int) -> float:
        """``gamma(n)`` as a number."""
        return self.gamma(n) if callable(self.gamma) else self.gamma
