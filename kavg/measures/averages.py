"""Averaged iterates: F and its gradient at a mean of the meta-iterates so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kavg.base import Floats, Objective, RoundView
from kavg.elementary.sums import sum_squares
from kavg.errors import KavgError
from kavg.gradients import choose_gradient
from kavg.ranges import Decay, RoundNumber, check_ranges

Weight = Callable[[int], float]
"""The weight of ``w`` after round n in the mean; 1 makes ``w`` itself the mean."""


@final
@dataclass(frozen=True)
class ExponentialMean:
    """F and ``||grad F||^2`` at an exponential moving average of the meta-iterates.

    From ``a = w_1`` on, after every round, whether it is recorded or not::

        a = beta a + (1 - beta) w

    The series are ``F_ema`` and ``grad_norm2_ema``; ``name`` is the end of both, so that averages
    with several ``beta`` can be told apart.  As it begins with the start, ``a`` needs no correction
    of bias.  The run itself is not changed.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=4, gamma=1.0, outer=outer.Averaging())
    >>> simulate(problem, method, rounds=2, record=[ExponentialMean(beta=0.5)]).F_ema[:, 0]
    array([ 0., -2., -5.])
    """

    kind = "ema"
    same_bits = "any machine"
    beta: Decay = 0.9
    name: str = "ema"

    def __post_init__(self) -> None:
        check_ranges(self)
        check_end(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of both series."""
        return name_series(self.name)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedAverage:
        """Return the measure of one run."""
        return PlannedAverage(problem.objective, R, self.weight)

    def weight(self, n: int) -> float:
        """Return the weight of ``w`` after round ``n``: 1 at the start."""
        return 1.0 - self.beta if n else 1.0


@final
@dataclass(frozen=True)
class UniformMean:
    """F and ``||grad F||^2`` at the mean of all meta-iterates, the start included.

    After round n this is ``(w_1 + ... + w_{n+1})/(n + 1)``: the average of Polyak and Ruppert, over
    rounds and not over local steps.  ``SuffixMean(after=0)`` has the same bits.  The series are
    ``F_uniform`` and ``grad_norm2_uniform``.

    Source: Polyak and Juditsky 1992.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=4, gamma=1.0, outer=outer.Averaging())
    >>> simulate(problem, method, rounds=2, record=["uniform"]).F_uniform[:, 0]
    array([ 0., -2., -4.])
    """

    kind = "uniform"
    same_bits = "any machine"
    names = ("F_uniform", "grad_norm2_uniform")

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedAverage:
        """Return the measure of one run."""
        return PlannedAverage(problem.objective, R, self.weight)

    def weight(self, n: int) -> float:
        """Return the weight of ``w`` after round ``n``."""
        return 1.0 / (n + 1)


@final
@dataclass(frozen=True)
class SuffixMean:
    """F and ``||grad F||^2`` at the mean of the meta-iterates after round ``after`` and later ones.

    Up to that round the mean is ``w`` itself.  The series are ``F_suffix`` and
    ``grad_norm2_suffix``; ``name`` is the end of both.

    Source: Rakhlin, Shamir and Sridharan 2011, arXiv 1109.5647, who average the last part of a run.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=4, gamma=1.0, outer=outer.Averaging())
    >>> simulate(problem, method, rounds=3, record=[SuffixMean(after=2)]).F_suffix[:, 0]
    array([  0.,  -4.,  -8., -10.])
    """

    kind = "suffix"
    same_bits = "any machine"
    after: RoundNumber
    name: str = "suffix"

    def __post_init__(self) -> None:
        check_ranges(self)
        check_end(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of both series."""
        return name_series(self.name)

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedAverage:
        """Return the measure of one run."""
        return PlannedAverage(problem.objective, R, self.weight)

    def weight(self, n: int) -> float:
        """Return the weight of ``w`` after round ``n``: 1 up to round ``after``."""
        return 1.0 / max(1, n - self.after + 1)


def check_end(name: str) -> None:
    """Raise ``KavgError`` if the end of the names of an average's series is empty."""
    if not name:
        raise KavgError("name must be text, the end of the names of both series, got ''")


def name_series(end: str) -> tuple[str, ...]:
    """Return the names of the series of an average.

    >>> name_series("ema")
    ('F_ema', 'grad_norm2_ema')
    """
    return f"F_{end}", f"grad_norm2_{end}"


@final
class PlannedAverage:
    """The average of one run, which is all that it remembers: ``(R, d)``."""

    reads_displacement = False

    def __init__(self, objective: Objective, R: int, weight: Weight) -> None:
        self.objective, self.weight = objective, weight
        self.width = int(objective.dim)
        self.gradient = choose_gradient(objective, tile=1, R=R, dtype="float64")
        self.workspace = np.empty((R, self.width))

    def update(self, now: RoundView, memory: Floats) -> None:
        """Move the mean towards ``w``: ``a = a + weight (w - a)``."""
        weight = self.weight(now.n)
        if weight == 1.0:
            # Not a + (w - a), whose last bits may differ from those of w.
            memory[...] = now.w
            return
        np.subtract(now.w, memory, out=self.workspace)
        np.multiply(self.workspace, weight, out=self.workspace)
        np.add(memory, self.workspace, out=memory)

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return F and the squared norm of its gradient at the mean, ``(2, R)``."""
        # A copy, which is contiguous and the objective's own to read.
        a = memory.copy()
        self.gradient(a[None], self.workspace[None])
        return np.array((self.objective.value(a), sum_squares(self.workspace)))
