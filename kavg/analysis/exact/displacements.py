"""Exact moments of mean displacements, and of the learners about them, in every direction.

In one eigendirection put ``r = 1 - gamma h``, ``rho = r^K`` and
``S = gamma (1 + r + ... + r^(K-1))``, and let ``z = (w, v)`` be the state before a round,
``y = s . z`` its start, and ``a_K`` the variance that a learner's noise gathers
(``moment_recursion``).  The mean displacement is

    d = (rho - 1) y - S c + e,        e of mean 0 and variance a_K / P, given z,

so ``Cov(z, d) = (rho - 1) Cov(z) s`` and ``Var d = (rho - 1)^2 Var y + a_K / P``.  With
``z' = T z + g d`` the move of w is ``(T_w - e_w) . z + g_w d``, and the displacement ``d'`` of the
next round has ``Cov(d', d) = (rho' - 1) s' . (T Cov(z, d) + g Var d)``, as its own noise is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.linear_rules import linear_rule
from kavg.analysis.exact.moment_recursion import Moments, forget_memory, local_noise
from kavg.base import Floats
from kavg.problem import Algorithm


@final
@dataclass(frozen=True, eq=False)
class DisplacementMoments:
    """Moments of a round, each ``(d,)``: a number a direction.

    ``square`` is ``E d^2``, ``lag`` the mean product with the displacement of the round before (NaN
    in the first), ``move`` is ``E d (w' - w)``, and ``spread`` the mean square of the learners
    about d.
    """

    square: Floats
    lag: Floats
    move: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class _Last:
    """A displacement as the next round needs it: ``E d (d,)`` and ``Cov(z', d) (d, 2)``."""

    mean: Floats
    beside: Floats


def iterate_displacements(
    problem: EigenProblem, algorithm: Algorithm, found: Moments
) -> Iterator[DisplacementMoments]:
    """Yield the moments of rounds 1, 2, ..., from those of ``(w, v)`` at the start and after each.

    The method is one of plain SGD whose learners are all averaged.

    >>> from kavg.analysis.exact import eigen_problem, moments
    >>> from kavg.outer import BlockMomentum
    >>> hill = eigen_problem([0.0], slope=1.0)
    >>> method = Algorithm(P=2, K=3, gamma=1.0, outer=BlockMomentum(mu=0.5))
    >>> rounds = iterate_displacements(hill, method, moments(hill, method, N=3))
    >>> [(float(each.square[0]), float(each.move[0])) for each in rounds]
    [(9.0, 9.0), (9.0, 13.5), (9.0, 15.75)]
    """
    last: _Last | None = None
    for n in range(1, len(found.mean)):
        before = Moments(found.mean[n - 1], found.covariance[n - 1], found.dispersion[n - 1])
        if algorithm.is_restart(n):
            before = forget_memory(before)
            last = None if last is None else _Last(last.mean, last.beside * (1.0, 0.0))
        now, last = _next_displacement(problem, algorithm, n, before, last)
        yield now


def _next_displacement(
    problem: EigenProblem, algorithm: Algorithm, n: int, before: Moments, last: _Last | None
) -> tuple[DisplacementMoments, _Last]:
    gamma, K, P = algorithm.step_size(n), algorithm.count_local_steps(n), algorithm.P
    rule, r = linear_rule(algorithm.outer, gamma), 1 - gamma * problem.h
    mean, covariance, start = before.mean, before.covariance, rule.start
    # An unstable method overflows, as its run does.
    with np.errstate(over="ignore", invalid="ignore"):
        pull, S = r**K - 1, gamma * geometric_sum(r, K)
        y, spread = mean @ start, start @ covariance @ start
        own = local_noise(problem, y, spread, K, gamma)
        d = pull * y - S * problem.slope
        with_state = pull[:, None] * (covariance @ start)
        variance = pull**2 * spread + own / P
        moving, move = rule.keep[0] - (1.0, 0.0), rule.push[0]
        moved = with_state @ moving + move * variance + (mean @ moving + move * d) * d
        lag = np.full_like(d, np.nan)
        if last is not None:
            lag = pull * (last.beside @ start) + d * last.mean
        beside = with_state @ rule.keep.T + variance[:, None] * rule.push
        about = (1 - 1 / P) * own + S**2 * problem.zeta2
    return DisplacementMoments(variance + d**2, lag, moved, about), _Last(d, beside)
