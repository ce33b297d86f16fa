"""Exact moments of a ``Problem``: the limit of a run's means for infinitely many replicas.

The other modules of ``kavg.analysis.exact`` work on eigendirections; this one converts a problem
to them, and the moments to the series of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.exact import EigenProblem, collect_moments, eigen_problem
from kavg.analysis.exact.measured import ExactRun, exact_series
from kavg.analysis.exact.methods import choose_moments
from kavg.base import AdaptivePeriod, Floats, Objective, Oracle, RoundMeasure
from kavg.budgets.work import count_active_learners
from kavg.errors import KavgError
from kavg.objectives import Linear, Quadratic
from kavg.oracles import (
    Gaussian,
    Noiseless,
    Rademacher,
    RandomDesign,
    Shifted,
    Sphere,
    StateDependent,
    StudentT,
)
from kavg.oracles.shifted import shifts
from kavg.problem import Algorithm, Problem
from kavg.ranges import check_count, check_range
from kavg.starts import Normal

_ISOTROPIC: Final = (Gaussian, Noiseless, Rademacher, Shifted, Sphere, StateDependent, StudentT)
"""Oracles whose noise is uncorrelated between directions, in every orthonormal basis."""
_LEARNERS_AT_ONCE: Final = 4096
"""Learners whose shifts are computed at once; even, so that pairs of shifts are not divided."""


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
    gradient, with learners that differ by shifts, fixed or normal starts, any linear outer rule,
    any schedule, and the methods of ``kavg.analysis.exact.methods``.  Every ``every``-th round and
    the last are recorded, and of ``measures`` of rounds what has an exact mean.  After an overflow
    the values are infinite or NaN.

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
    found = collect_moments(choose_moments(algorithm)(directions, algorithm), rounds)
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


def to_eigenbasis(problem: Problem, P: int) -> EigenProblem:
    """Return the problem of P learners in the eigenbasis of its objective.

    Raises:
        KavgError: if the objective, the noise or the start has no exact form here.

    >>> from kavg import objectives, oracles
    >>> bowl = Problem(objectives.Quadratic((1.0, 2.0)), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> to_eigenbasis(bowl, P=4).m_0
    array([0.5, 0.5])
    """
    objective, oracle = problem.objective, problem.oracle
    if not isinstance(objective, Quadratic | Linear):
        raise KavgError(
            f"exact moments need a Quadratic or Linear objective, got {type(objective).__name__};"
            " simulate it instead"
        )
    if not isinstance(oracle, (*_ISOTROPIC, RandomDesign)):
        raise KavgError(
            f"exact moments need noise of known isotropic variance, got {type(oracle).__name__};"
            f" use one of {', '.join(kind.__name__ for kind in (*_ISOTROPIC, RandomDesign))}"
        )
    mean, variance = _start_moments(problem)
    return eigen_problem(
        objective.eigenvalues if isinstance(objective, Quadratic) else np.zeros(objective.dim),
        slope=objective.slope if isinstance(objective, Linear) else 0.0,
        zeta2=_shift_squares(objective, oracle, P),
        mean=_to_eigen_coordinates(objective, mean),
        variance=variance,
        **_noise_variances(problem),
    )


def _noise_variances(problem: Problem) -> dict[str, Any]:
    """Return what ``eigen_problem`` needs to know of the noise of one mini-batch gradient."""
    known, objective, oracle = problem.noise, problem.objective, problem.oracle
    if isinstance(oracle, RandomDesign) and isinstance(objective, Quadratic):
        return {
            "m_0": oracle.label_variance / known.B * objective.eigenvalues,
            "design": 1.0 / known.B,
        }
    # M is the variance of one example's whole gradient; a direction has 1/d of a mini-batch's.
    share = 1.0 / (known.B * objective.dim)
    return {"m_0": known.M.value * share, "m_v": known.M_v.value * share}


def _start_moments(problem: Problem) -> tuple[Floats, float]:
    start, dim = problem.start, problem.dim
    if isinstance(start, Normal):
        return np.full(dim, start.mean), start.scale**2
    if not isinstance(start, int | float | tuple | list | np.ndarray):
        raise KavgError(
            "exact moments need a start whose mean and variance are known, got"
            f" {type(start).__name__}; use numbers or starts.Normal"
        )
    given = np.asarray(start, np.float64)
    if given.shape not in ((), (dim,)):
        raise KavgError(f"start must be one number or {dim} of them, got shape {given.shape}")
    return np.broadcast_to(given, (dim,)).copy(), 0.0


def _to_eigen_coordinates(objective: Objective, x: Floats) -> Floats:
    return objective.eigen_coordinates(x) if isinstance(objective, Quadratic) else x


def _shift_squares(objective: Objective, oracle: Oracle, P: int) -> Floats:
    # The mean over learners of b_j^2 in each direction, without the shifts of all P at once.
    total = np.zeros(objective.dim)
    if not isinstance(oracle, Shifted) or oracle.zeta2 == 0:
        return total
    if P == 1:
        raise KavgError(
            f"one learner cannot differ from the mean of all, got P=1 and zeta2={oracle.zeta2};"
            " use P of at least 2 or zeta2=0"
        )
    for first in range(0, P, _LEARNERS_AT_ONCE):
        learners = range(first, min(first + _LEARNERS_AT_ONCE, P))
        b = shifts(oracle.zeta2, oracle.seed, P, objective.dim, learners)
        total += np.square(_to_eigen_coordinates(objective, b)).sum(axis=0)
    return total / P
