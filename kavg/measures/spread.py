"""The spread of the learners along some directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from kavg.base import Floats, LearnerPoint, RoundView
from kavg.elementary.products import RowProducts
from kavg.elementary.sums import sum_squares
from kavg.errors import KavgError
from kavg.ranges import Direction, Finite, check_ranges

FIRST: Final = (0,)


@final
@dataclass(frozen=True)
class Spread:
    """The dispersion of the learners along directions.

    With directions ``u_i`` of length 1::

        spread_i = (1/P) sum_j <u_i, x_K^j - xbar>^2        before averaging

    ``directions`` are numbers of coordinates, or of eigenvectors where the objective is a rotated
    quadratic; or ``vector (d,)`` is the only direction, of any length, and the series is called
    ``spread``.  Over all directions the sum is the ``dispersion``.  The learners' displacements are
    needed once more after their mean is known, in rounds that are recorded: one more ``Allreduce``,
    and their steps again where a rank's learners take several tiles.  NaN at the start.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic((1.0, 4.0)), oracles.Gaussian(1.0), start=2.0)
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=outer.Averaging())
    >>> run = simulate(problem, method, rounds=1, record=[Spread(directions=(0, 1))])
    >>> bool(np.isclose(run.spread_0[-1] + run.spread_1[-1], run.dispersion[-1]).all())
    True
    """

    kind = "spread"
    same_bits = "any machine"
    directions: tuple[Direction, ...] | None = None
    vector: tuple[Finite, ...] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.directions is not None and self.vector is not None:
            raise KavgError("a spread has directions or a vector, got both; leave one of them out")
        if self.directions == ():
            raise KavgError(
                "directions of the spread must be at least one number, got []; leave them out for "
                "direction 0"
            )
        if len(set(self.numbers)) < len(self.numbers):
            raise KavgError(f"directions must differ, got {list(self.directions or ())}")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the directions; the first one if none are given."""
        return self.directions or FIRST

    @property
    def names(self) -> tuple[str, ...]:
        """``spread`` of a vector, ``spread_i`` of direction i."""
        is_vector = self.vector is not None
        return ("spread",) if is_vector else tuple(f"spread_{i}" for i in self.numbers)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedSpread:
        """Return the measure of one run.

        Raises ``KavgError`` if a direction is none of the problem's.
        """
        return PlannedSpread(self.find_directions(problem.objective))

    def find_directions(self, objective: Any) -> Floats:
        """Return the directions as columns of length 1, ``(d, directions)``.

        Raises ``KavgError`` as ``plan``.
        """
        d = int(objective.dim)
        if self.vector is not None:
            return _to_column(np.array(self.vector, np.float64), d)
        if max(self.numbers) >= d:
            raise KavgError(
                f"directions of the spread must be below {d}, the number of coordinates, got "
                f"{max(self.numbers)}; they count from 0"
            )
        columns = np.zeros((d, len(self.numbers)))
        columns[self.numbers, range(len(self.numbers))] = 1.0
        if getattr(objective, "rotation_seed", None) is None:
            return columns
        return np.array(objective.rotation[:, self.numbers], np.float64)


def _to_column(vector: Floats, d: int) -> Floats:
    if vector.shape != (d,) or not vector.any():
        raise KavgError(
            f"the vector of the spread must be {d} numbers that are not all 0, got {len(vector)}"
        )
    # Scaled first, as squares of tiny or huge numbers are 0 or infinite.
    column = vector / np.abs(vector).max()
    return np.asarray(column / np.sqrt(sum_squares(column)))[:, None]


@final
class PlannedSpread:
    """The measure of one run: ``memory`` is what was read of its learners."""

    reads_displacement = False
    point: LearnerPoint = "displacements"

    def __init__(self, directions: Floats) -> None:
        self.width = self.count = directions.shape[1]
        self.product = RowProducts(directions)
        self.parts = np.empty((0, 0, self.count))

    def read(self, offsets: Floats, out: Floats) -> None:
        """Write the squared components of ``offsets (t, R, d)``, ``(t, R, directions)``."""
        shape = (*offsets.shape[:2], self.count)
        if self.parts.shape != shape:
            self.parts = np.empty(shape)
        self.product(offsets, self.parts)
        np.multiply(self.parts, self.parts, out=out)

    def update(self, now: RoundView, memory: Floats) -> None:
        """Keep the means over learners as they are."""

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the spread along each direction, ``(directions, R)``."""
        return memory.T
