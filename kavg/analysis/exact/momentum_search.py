"""The momentum of the least expected F after N rounds, from exact moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_rules import linear_rule, stack_rules
from kavg.analysis.exact.moment_recursion import initial_moments, next_moments
from kavg.base import Floats, Outer
from kavg.errors import KavgError
from kavg.outer import BlockMomentum
from kavg.ranges import Count, check_count, check_positive, check_range


@final
@dataclass(frozen=True, eq=False)
class BestMomentum:
    """The ``mu (len(P),)`` that minimises ``F (len(P), len(grid))`` over the ``grid``.

    Accurate to the spacing of the grid.  ``F`` is ``E F(w_{N+1})``, infinite or NaN where it
    overflowed.
    """

    mu: Floats
    grid: Floats
    F: Floats


def best_momentum(
    problem: EigenProblem,
    *,
    P: Sequence[int],
    K: int,
    gamma: float,
    N: int,
    grid: ArrayLike | None = None,
    rule: Callable[[float], Outer] = BlockMomentum,
) -> BestMomentum:
    """Return the best mu of a grid (0, .01, ..., .99 by default) for every P of a list.

    ``rule`` makes an outer rule of mu.  It minimises the error itself, whereas
    ``bounds.corollaries.tuned_mu`` (corollary C3) minimises a bound on it.

    Raises:
        KavgError: if a count is below 1, gamma is not positive, or the grid or P is empty.

    >>> from kavg.analysis.exact import eigen_problem
    >>> bowl = eigen_problem([0.01, 1.0], m_0=1.0, mean=1.0)
    >>> best_momentum(bowl, P=[1, 64], K=4, gamma=0.05, N=30).mu
    array([0.  , 0.72])
    """
    K, N = check_count("K", K, "counts start at 1"), check_count("N", N, "counts start at 1")
    P = check_range(tuple[Count, ...], "P", P)
    gamma = check_positive("gamma", gamma)
    mus = np.arange(100) / 100 if grid is None else np.asarray(grid, np.float64)
    if mus.ndim != 1 or not mus.size or not len(P):
        raise KavgError("give one or more values of mu in a row, and one or more of P")
    # All momenta and all P go through one recursion, side by side.
    rules = stack_rules([linear_rule(rule(float(mu)), gamma) for mu in mus])
    learners = np.asarray(P, np.float64)[:, None]
    now = initial_moments(problem)
    for _ in range(N):
        now = next_moments(problem, rules, now, P=learners, K=K, gamma=gamma)
    with np.errstate(over="ignore", invalid="ignore"):
        F = now.F(problem)
    # argmin would return the first NaN.
    order = np.where(np.isnan(F), np.inf, F)
    return BestMomentum(mus[np.argmin(order, axis=-1)], mus, F)
