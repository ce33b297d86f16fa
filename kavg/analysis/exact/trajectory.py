"""Exact moments of a ``Problem``: the limit of a run's means for infinitely many replicas.

The other modules of ``kavg.analysis.exact`` work on eigendirections; this one makes
the series of a run of their moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.exact import collect_moments
from kavg.analysis.exact.measured import ExactRun, exact_series
from kavg.analysis.exact.methods import choose_moments
from kavg.analysis.exact.methods.class_moments import iterate_class_moments
from kavg.analysis.exact.problem_directions import to_eigenbasis
from kavg.base import AdaptivePeriod, Floats, RoundMeasure
from kavg.budgets.work import count_active_learners
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count, check_range


@final
@dataclass(frozen=True, eq=False)
class ExactTrajectory:
    """The expected values of what a ``Trajectory`` records, at ``rounds (T,)``.

    ``F``, ``grad_norm2`` and ``dispersion`` are ``(T,)``; ``mean`` and ``variance (T, d)`` are
    those of w in eigen-coordinates (``Quadratic.eigen_coordinates``); ``steps (T,)`` counts the
    local steps of a learner, and ``K`` is the period of the last round.
    ``measured`` has those series of measures of rounds that have an exact mean, ``(T,)`` each, and
    ``active`` is the mean number of learners that take a step, None for P.
    """

    name: str
    P: int
    K: int
    B: int
    rounds: NDArray[np.int64]
    F: Floats
    grad_norm2: Floats
    dispersion: Floats
    mean: Floats
    variance: Floats
    steps: NDArray[np.int64]
    measured: dict[str, Floats] = field(default_factory=dict)
    active: float | None = None

    @property
    def series(self) -> dict[str, Floats]:
        """The quantities by their names in a ``Trajectory``, each ``(T,)``."""
        standard = {"F": self.F, "grad_norm2": self.grad_norm2, "dispersion": self.dispersion}
        return standard | self.measured

    def axis(self, name: str) -> NDArray[np.int64]:
        """Return an x axis by name: rounds, steps, gradients or communications.

        Raises:
            KavgError: if there is no such axis; seconds are those of a run only.
        """
        each = {"rounds": self.rounds, "communications": self.rounds, "steps": self.steps}
        active = self.P if self.active is None else self.active
        each["gradients"] = np.rint(self.steps * active).astype(np.int64) * self.B
        if name not in each:
            raise KavgError(f"exact moments have no axis {name!r}; use one of {', '.join(each)}")
        return each[name]


def exact_trajectory(
    problem: Problem,
    algorithm: Algorithm,
    rounds: int,
    every: int = 1,
    measures: Sequence[RoundMeasure] = (),
) -> ExactTrajectory:
    """Return the exact moments of a run of ``rounds`` rounds, recorded like those of ``simulate``.

    Covered are quadratics and linear functions with isotropic noise, additive or growing with the
    gradient or of fresh examples, with learners that differ by shifts or, for plain SGD, by
    curvature, fixed or normal starts, any linear outer rule, any schedule, and the methods of
    ``kavg.analysis.exact.methods``.  Every ``every``-th round and the last are recorded, and of
    ``measures`` of rounds what has an exact mean.  After an overflow the values are infinite or
    NaN.

    Raises:
        KavgError: if the moments of the problem have no exact form here, with the reason.

    >>> from kavg import objectives, oracles, outer
    >>> bowl = Problem(objectives.Quadratic((1.0,)), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=outer.Averaging())
    >>> exact_trajectory(bowl, method, rounds=2).F
    array([2.      , 0.5625  , 0.203125])
    """
    check_range(Problem, "problem", problem)
    check_range(Algorithm, "algorithm", algorithm)
    rounds = check_count("rounds", rounds, "use rounds=1 for a single averaging")
    every = check_count("every", every, "use every=1 to record each round")
    directions = to_eigenbasis(problem, algorithm.P)
    recursion = choose_moments(algorithm)
    if directions.classes is not None:
        recursion = iterate_class_moments
    found = collect_moments(recursion(directions, algorithm), rounds)
    recorded = np.array([n for n in range(rounds + 1) if n % every == 0 or n == rounds])
    with np.errstate(over="ignore", invalid="ignore"):
        F, square = found.F(directions), found.grad_norm2(directions)
    measured = exact_series(measures, ExactRun(problem, algorithm, directions, found))
    Ks = [algorithm.count_local_steps(n) for n in range(1, rounds + 1)]
    active = count_active_learners(algorithm)
    return ExactTrajectory(
        name=algorithm.name,
        P=algorithm.P,
        K=Ks[-1],
        B=problem.noise.B,
        rounds=recorded,
        F=F[recorded],
        grad_norm2=square[recorded],
        dispersion=found.dispersion[recorded],
        mean=found.w[recorded],
        variance=found.variance[recorded],
        steps=np.cumsum([0, *Ks])[recorded],
        measured={name: values[recorded] for name, values in measured.items()},
        active=None if active == algorithm.P else active,
    )


def check_exact_method(algorithm: Algorithm) -> None:
    """Raise ``KavgError`` if the method has no exact moments, whatever the problem is."""
    if not algorithm.is_plain:
        raise KavgError(
            "exact moments need local steps of plain SGD and the mean of all learners, got "
            f"{algorithm.optimizer} and {algorithm.aggregation}; simulate it instead"
        )
    if isinstance(algorithm.K, AdaptivePeriod):
        raise KavgError("exact moments need a K that is known beforehand; simulate it instead")
