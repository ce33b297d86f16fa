"""A ``Problem`` in the eigenbasis of its objective, if its moments have an exact form."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem, LearnerClasses, eigen_problem
from kavg.base import Floats, Objective, Oracle
from kavg.errors import KavgError
from kavg.objectives import Linear, Quadratic
from kavg.oracles import (
    Gaussian,
    Noiseless,
    Rademacher,
    RandomDesign,
    Scaled,
    Shifted,
    Sphere,
    StateDependent,
    StudentT,
    UnlikeFunctions,
)
from kavg.oracles.shifted import shifts
from kavg.oracles.unlike.pairs import pair_factors, refuse_one_learner
from kavg.problem import Problem
from kavg.starts import Normal

_ISOTROPIC: Final = (Gaussian, Noiseless, Rademacher, Shifted, Sphere, StateDependent, StudentT)
"""Oracles whose noise is uncorrelated between directions, in every orthonormal basis."""
_KNOWN: Final = (*_ISOTROPIC, RandomDesign, Scaled)
_LEARNERS_AT_ONCE: Final = 4096
"""Learners whose shifts are computed at once; even, so that pairs of shifts are not divided."""


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
    if isinstance(oracle, UnlikeFunctions):
        raise KavgError(
            "exact moments of learners with functions of their own are not known, got "
            "UnlikeFunctions; use Scaled for other curvatures, or simulate it instead"
        )
    if not isinstance(oracle, _KNOWN):
        raise KavgError(
            f"exact moments need noise of known isotropic variance, got {type(oracle).__name__};"
            f" use one of {', '.join(kind.__name__ for kind in _KNOWN)}"
        )
    mean, variance = _start_moments(problem)
    return eigen_problem(
        objective.eigenvalues if isinstance(objective, Quadratic) else np.zeros(objective.dim),
        slope=objective.slope if isinstance(objective, Linear) else 0.0,
        zeta2=_shift_squares(objective, oracle, P),
        mean=_to_eigen_coordinates(objective, mean),
        variance=variance,
        classes=_find_classes(objective, oracle, P),
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
    if not isinstance(oracle, Shifted | Scaled) or oracle.zeta2 == 0:
        return total
    refuse_one_learner(P, "zeta2", oracle.zeta2)
    for first in range(0, P, _LEARNERS_AT_ONCE):
        learners = range(first, min(first + _LEARNERS_AT_ONCE, P))
        b = shifts(oracle.zeta2, oracle.seed, P, objective.dim, learners)
        total += np.square(_to_eigen_coordinates(objective, b)).sum(axis=0)
    return total / P


def _find_classes(objective: Objective, oracle: Oracle, P: int) -> LearnerClasses | None:
    """Return the learners of ``Scaled`` by their factors s_j, of which there are four at most."""
    if not isinstance(oracle, Scaled) or oracle.spread == 0:
        return None
    refuse_one_learner(P, "spread", oracle.spread)
    kinds = np.unique(pair_factors(P, range(min(P, 2)))[1])
    if P % 2:
        kinds = np.unique(np.append(kinds, pair_factors(P, range(P - 3, P))[1]))
    counts, sums = np.zeros(len(kinds)), np.zeros((2, len(kinds), objective.dim))
    slope = objective.slope if isinstance(objective, Linear) else 0.0
    for first in range(0, P, _LEARNERS_AT_ONCE):
        learners = range(first, min(first + _LEARNERS_AT_ONCE, P))
        s = pair_factors(P, learners)[1]
        b = shifts(oracle.zeta2, oracle.seed, P, objective.dim, learners)
        own = _to_eigen_coordinates(objective, b) + slope * (1 + oracle.spread * s)[:, None]
        for g, kind in enumerate(kinds):
            of_kind = own[s == kind]
            counts[g] += len(of_kind)
            sums[:, g] += of_kind.sum(axis=0), np.square(of_kind).sum(axis=0)
    kept = counts > 0
    h = objective.eigenvalues if isinstance(objective, Quadratic) else np.zeros(objective.dim)
    return LearnerClasses(
        share=counts[kept] / P,
        h=(1 + oracle.spread * kinds[kept])[:, None] * h,
        slope=sums[0, kept] / counts[kept, None],
        slope2=sums[1, kept] / counts[kept, None],
    )
