"""The two values that ``kavg.simulate`` takes: a problem, and an algorithm for it."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from math import inf
from sys import float_info
from typing import Annotated

import numpy as np

from kavg.arrays import as_array
from kavg.base import Floats, NoiseConstants, Objective, Oracle, Outer, Schedule, Start
from kavg.conversion import to_number
from kavg.errors import KavgError
from kavg.portability import SameBits, find_same_bits
from kavg.ranges import Count, Finite, Positive, check_dimension, check_range, check_ranges
from kavg.text import shorten_repr


@dataclass(frozen=True)
class Problem:
    """An objective to minimise, the oracle of its stochastic gradients, and the starting point.

    ``start`` is one number for all coordinates, one number for each, or a law that draws a point
    for each replica (``kavg.starts``).

    Raises ``KavgError`` if a part is of another kind, or lacks a member of its Protocol.

    >>> from kavg import objectives, oracles
    >>> bowl = Problem(objectives.Quadratic((1.0, 4.0)), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> bowl.first_iterate(seed=1, R=1)
    array([[2., 2.]])
    """

    objective: Objective
    oracle: Oracle
    start: Finite | tuple[Finite, ...] | Start = 0.0

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def dim(self) -> int:
        """The dimension ``d`` of the objective."""
        return check_dimension(self.objective)

    @property
    def noise(self) -> NoiseConstants:
        """The constants of the oracle for this objective."""
        found = self.oracle.constants(self.objective)
        noise: NoiseConstants = check_range(NoiseConstants, "oracle.constants(...)", found)
        return noise

    @property
    def same_bits(self) -> SameBits:
        """Where the bits are the same: the weakest of what the three parts promise."""
        return find_same_bits(self.objective, self.oracle, self.start)

    def first_iterate(self, seed: int, R: int) -> Floats:
        """Return ``w_1 (R, d)``, whatever form ``start`` has.

        Raises ``KavgError`` if ``start`` is a list that does not have ``d`` numbers, or a law that
        does not draw ``(R, d)`` finite numbers.
        """
        dim, start = self.dim, self.start
        if isinstance(start, (int, float, tuple)):
            given = np.asarray(start)
            if given.shape not in ((), (dim,)):
                raise KavgError(
                    f"start must be one finite number or {dim} of them (one for each coordinate), "
                    f"got {shorten_repr(start)} of shape {given.shape}"
                )
            # A copy, as a broadcast array is read-only and one row for all replicas.
            return np.broadcast_to(given, (R, dim)).copy()
        return _check_points(start, start.draw(seed, R, dim), (R, dim))


def _check_points(law: Start, drawn: object, shape: tuple[int, int]) -> Floats:
    points = as_array(drawn, f"what {type(law).__name__}.draw returns")
    real = points.dtype.kind in "fiu" and np.isfinite(points).all()
    if points.shape != shape or not real:
        raise KavgError(
            f"{type(law).__name__}.draw must return finite numbers of shape {shape}, one start for "
            f"each replica, got {type(drawn).__name__} of shape {points.shape}"
        )
    # A copy, as the law may keep the array that it returned.
    return np.array(points, np.float64)


@dataclass(frozen=True)
class Algorithm:
    """K-step averaging: ``P`` learners take ``K`` local steps, then the outer rule is applied.

    Round n, with ``x^j`` the iterates of learner j and ``g^j`` its stochastic gradients::

        x_0^j = start(w_n, v_n)                         the outer rule's starting point
        x_{t+1}^j = x_t^j - gamma(n) g^j(x_t^j)         for t = 0, ..., K - 1
        d_n = (1/P) sum_j (x_K^j - x_0^j)               one Allreduce
        w_{n+1}, v_{n+1} = step(w_n, v_n, d_n)          the outer rule (``kavg.outer``)

    With block momentum this is M-AVG (Cong and Liu 2020, arXiv 2110.00625), with plain averaging
    K-AVG (Zhou and Cong 2018, arXiv 1708.01012); docs/notation.md compares letters.  ``gamma`` is a
    number or a schedule, a function of the round ``n = 1, 2, ...``.  ``name`` is used in reports.

    Raises ``KavgError`` if a number is out of range, or a part is of another kind.

    >>> from kavg.outer import BlockMomentum
    >>> Algorithm(P=4, K=8, gamma=0.05, outer=BlockMomentum(mu=0.5)).step_size(1)
    0.05
    """

    P: Annotated[Count, "use P=1 for a single learner"]
    K: Annotated[Count, "use K=1 for synchronous SGD"]
    gamma: Positive | Schedule
    outer: Outer
    name: str = ""

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def same_bits(self) -> SameBits:
        """Where the bits are the same: the weaker of what step size and outer rule promise."""
        return find_same_bits(self.gamma, self.outer)

    def step_size(self, n: int) -> float:
        """Return ``gamma(n)``, whether ``gamma`` is a number or a schedule.

        Raises ``KavgError`` if a schedule returns anything but a finite number above 0.
        """
        return _check_step_size(self.gamma(n), n) if callable(self.gamma) else self.gamma


def _check_step_size(gamma: object, n: int) -> float:
    # First what nearly all schedules return: this is called in every round.
    if isinstance(gamma, float) and 0.0 < gamma < inf:
        return float(gamma)
    number = to_number(gamma, float)
    if number is not None and 0.0 < number < inf:
        return float(number)
    raise KavgError(
        f"gamma must be a finite number above 0 in every round, got {gamma!r:.60} for round {n}; "
        "return a float, such as 0.1 / n**0.5"
    )


def describe_outer_rule(rule: Outer) -> dict[str, str | float]:
    """Return the kind of an outer rule and its numbers, as plain values that a file can hold.

    A class of a user is called by its own name, and its numbers are those of its dataclass fields.

    >>> from kavg.outer import BlockMomentum
    >>> describe_outer_rule(BlockMomentum(mu=0.5))
    {'kind': 'block_momentum', 'mu': 0.5}
    """
    cls = type(rule)
    # A class that derives from one of kavg inherits its kind, and is another rule.
    kind = vars(cls).get("kind")
    names: list[str] = [each.name for each in fields(rule)] if is_dataclass(rule) else []
    values = {name: getattr(rule, name) for name in names if name != "kind"}
    numbers = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, float | int) and abs(value) <= float_info.max
    }
    return {"kind": kind if isinstance(kind, str) else cls.__name__, **numbers}
