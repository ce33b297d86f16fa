"""The two values that ``kavg.simulate`` takes: a problem, and an algorithm for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from kavg.aggregations import AllLearners
from kavg.base import (
    AdaptivePeriod,
    Aggregation,
    Asynchronous,
    Floats,
    LocalOptimizer,
    NoiseConstants,
    Objective,
    Oracle,
    Outer,
    Period,
    Schedule,
    Start,
)
from kavg.base.aggregations import count_own_iterates
from kavg.base.outer_rules import check_restart
from kavg.base.starting_points import check_points, repeat_point
from kavg.base.step_functions import check_period, check_step_size
from kavg.errors import KavgError
from kavg.optimizers import SGD
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
            return repeat_point(start, (R, dim))
        return check_points(start, start.draw(seed, R, dim), (R, dim))


PLAIN: Final = SGD()
ALL: Final = AllLearners()


@dataclass(frozen=True)
class Algorithm:
    """K-step averaging: ``P`` learners take ``K`` local steps, then the outer rule is applied.

    Round n, with ``x^j`` the iterates of learner j and ``g^j`` its stochastic gradients::

        x_0^j = start(w_n, v_n)                         the outer rule's starting point
        x_{t+1}^j = x_t^j - gamma(n) g^j(x_t^j)         for t = 0, ..., K - 1 (``optimizer``)
        d_n = (1/P) sum_j (x_K^j - x_0^j)               one Allreduce
        w_{n+1}, v_{n+1} = step(w_n, v_n, d_n)          the outer rule (``kavg.outer``)

    With block momentum this is M-AVG (Cong and Liu 2020, arXiv 2110.00625), with plain averaging
    K-AVG (Zhou and Cong 2018, arXiv 1708.01012); docs/notation.md compares letters.  ``gamma`` is a
    number or a schedule, a function of the round ``n = 1, 2, ...``, and so is ``K``
    (``kavg.periods``).  ``optimizer`` is the rule of the local steps (``kavg.optimizers``).
    ``aggregation`` says whose models are averaged (``kavg.aggregations``), and ``name`` is used in
    reports.  With ``restart`` the outer memory is zero again at the beginning of rounds
    ``restart + 1``, ``2 restart + 1``, ...

    Raises ``KavgError`` if a number is out of range, a part is of another kind, or parts contradict
    each other.

    >>> from kavg.outer import BlockMomentum
    >>> Algorithm(P=4, K=8, gamma=0.05, outer=BlockMomentum(mu=0.5)).step_size(1)
    0.05
    """

    P: Annotated[Count, "use P=1 for a single learner"]
    K: Annotated[Count, "use K=1 for synchronous SGD"] | Period
    gamma: Positive | Schedule
    outer: Outer
    name: str = ""
    optimizer: LocalOptimizer = PLAIN
    aggregation: Aggregation = ALL
    restart: Annotated[Count, "leave it out to carry the memory on"] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        check_restart(self.restart, self.outer)
        self.aggregation.check_method(self)

    @property
    def same_bits(self) -> SameBits:
        """Where the bits are the same: the weaker of what step size and outer rule promise."""
        return find_same_bits(self.gamma, self.K, self.optimizer, self.aggregation, self.outer)

    @property
    def is_plain(self) -> bool:
        """True if local steps are those of SGD, and all learners are averaged.

        Theorems, exact moments and batches are about such methods alone.
        """
        parts = (self.optimizer, self.aggregation)
        return all(bool(getattr(part, "is_plain", False)) for part in parts)

    @property
    def carries_slots(self) -> bool:
        """True if a round begins with more than ``w`` and ``v``: ``State.slots``."""
        return self.shared_slots > 0 or self.learner_slots > 0

    @property
    def shared_slots(self) -> int:
        """The number of arrays of the size of the model that all learners carry on together.

        They are averaged slots, or earlier iterates.
        """
        own = self.optimizer.slots if self.optimizer.at_average == "averaged" else 0
        part = self.aggregation
        return int(own) + (part.count_past(self.P) if isinstance(part, Asynchronous) else 0)

    @property
    def learner_slots(self) -> int:
        """The number of arrays of the size of the model that each learner keeps for itself."""
        own = self.optimizer.slots if self.optimizer.at_average == "kept" else 0
        return int(own) + count_own_iterates(self.aggregation)

    def is_restart(self, n: int) -> bool:
        """True if round ``n`` begins with a memory of zero: rounds 1, restart + 1, ..."""
        return self.restart is not None and (n - 1) % self.restart == 0

    def step_size(self, n: int) -> float:
        """Return ``gamma(n)``, whether ``gamma`` is a number or a schedule.

        Raises ``KavgError`` if a schedule returns anything but a finite number above 0.
        """
        return check_step_size(self.gamma(n), n) if callable(self.gamma) else self.gamma

    @property
    def constant_K(self) -> int:
        """``K``, for what is stated for a constant period alone.

        Raises ``KavgError`` if ``K`` is a function of the round.
        """
        if callable(self.K):
            raise KavgError(f"K must be one number here, got {shorten_repr(self.K)}; use K = 8")
        return self.K

    def count_local_steps(self, n: int) -> int:
        """Return ``K(n)``, whether ``K`` is a number or a function; the first of an adaptive one.

        Raises ``KavgError`` if a function returns anything but a whole number of at least 1.
        """
        if not callable(self.K):
            return self.K
        return check_period(self.K(n, self.step_size(n)), n)

    def sum_local_steps(self, n: int) -> int:
        """Return the local steps of the first ``n`` rounds: ``n K`` where K is a number.

        Raises ``KavgError`` if ``K`` is adaptive: only a run knows them then.
        """
        if not callable(self.K):
            return n * self.K
        if isinstance(self.K, AdaptivePeriod):
            raise KavgError("K is adaptive, so its local steps are known to the run alone")
        return sum(map(self.count_local_steps, range(1, n + 1)))

    def adapt_period(self, n: int, K: int, dispersion: Floats) -> int | None:
        """Return the period of round ``n + 1`` if ``K`` is adaptive, else None.

        ``K`` and ``dispersion (R,)`` are those of round ``n``.  Raises ``KavgError`` if the period
        is no whole number of at least 1.
        """
        # A number first: this is asked in every round, and a Protocol takes a microsecond.
        if not callable(self.K) or not isinstance(self.K, AdaptivePeriod):
            return None
        return check_period(self.K.adapt(K, dispersion, self.step_size(n)), n + 1)
