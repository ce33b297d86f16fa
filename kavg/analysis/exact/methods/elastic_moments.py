"""Exact moments of elastic averaging, whose learners go on from iterates of their own.

In one eigendirection with eigenvalue h and slope c put ``r = 1 - gamma h``, ``rho = r^K`` and
``S = 1 + r + ... + r^(K-1)``.  Let m be the mean of the learners' iterates, ``y = s . (w, v)`` the
point that displacements are counted from, and ``e`` the mean of the learners' noise, of variance
``a_K/P``.  Learner j's own gradient adds ``b_j``, of mean zero over learners.

- ``m_K = rho m - gamma S c + e``, then ``m = (1 - alpha) m_K + alpha y`` and
  ``(w, v) <- T (w, v) + g (m_K - y)``: linear in ``(m, w, v)``.
- A learner's distance from m is multiplied by ``(1 - alpha) rho`` a round.  Before the pull its
  noise has ``V_K = rho^2 V + (1 - 1/P) a_K``, averaged over learners, and its shift is ``t_K b_j``
  with ``t_K = rho t - gamma S``.  The dispersion is ``sum [V_K + t_K^2 zeta2]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import numpy as np

from kavg.aggregations import ElasticAveraging
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.methods.limits import refuse_one_that_differs, require_additive_noise
from kavg.analysis.exact.moment_recursion import Moments, initial_moments
from kavg.base import Floats
from kavg.problem import Algorithm


class _Spread(NamedTuple):
    """Of the learners about their mean: variance ``(d,)``, and what multiplies shifts ``(d,)``."""

    noise: Floats
    shift: Floats


def iterate_elastic_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> easgd = ElasticAveraging(alpha=0.25)
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=Averaging(), aggregation=easgd)
    >>> rounds = iterate_elastic_moments(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 4.0, 2.5, 1.4375]
    """
    require_additive_noise(problem, "elastic averaging")
    refuse_one_that_differs(problem, algorithm)
    assert isinstance(algorithm.aggregation, ElasticAveraging)
    alpha = algorithm.aggregation.alpha
    now = replace(initial_moments(problem), consensus=np.zeros(()))
    mean, covariance = _add_learners(now, linear_rule(algorithm.outer, algorithm.step_size(1)))
    # Followed apart, as what tells learners apart has no part in their mean.
    spread = _Spread(np.zeros_like(problem.h), np.zeros_like(problem.h))
    for n in count(1):
        yield now
        gamma, K = algorithm.step_size(n), algorithm.count_local_steps(n)
        r = 1 - gamma * problem.h
        rho, S = r**K, gamma * geometric_sum(r, K)
        own = gamma**2 * problem.m_0 * geometric_sum(r**2, K)
        A, push = elastic_matrix(linear_rule(algorithm.outer, gamma), alpha, rho)
        # An unstable method overflows, as its run does.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.matvec(A, mean) - push * (S * problem.slope)[:, None]
            noise = (own / algorithm.P)[:, None, None] * np.multiply.outer(push, push)
            covariance = A @ covariance @ np.swapaxes(A, -1, -2) + noise
            ends = _Spread(
                rho**2 * spread.noise + (1 - 1 / algorithm.P) * own, rho * spread.shift - S
            )
            dispersion = np.sum(ends.noise + ends.shift**2 * problem.zeta2)
            spread = _Spread((1 - alpha) ** 2 * ends.noise, (1 - alpha) * ends.shift)
            # Learners about their mean, and that about w.
            apart = np.sum(spread.noise + spread.shift**2 * problem.zeta2)
            consensus = np.asarray(apart + _sum_squares(mean, covariance))
        now = Moments(mean[:, 1:], covariance[:, 1:, 1:], np.asarray(dispersion), consensus)


def elastic_matrix(rule: LinearRule, alpha: float, rho: Floats) -> tuple[Floats, Floats]:
    """Return the matrix of a round on ``(m, w, v)``, ``(d, 3, 3)``, and what takes noise, ``(3,)``.

    >>> from kavg.outer import Averaging
    >>> matrix, push = elastic_matrix(linear_rule(Averaging(), 1.0), 0.25, np.array([0.5]))
    >>> matrix[0, :2, :2], push
    (array([[0.375, 0.25 ],
           [0.5  , 0.   ]]), array([0.75, 1.  , 0.  ]))
    """
    A = np.empty((len(rho), 3, 3))
    A[:, 0, 0], A[:, 0, 1:] = (1 - alpha) * rho, alpha * rule.start
    A[:, 1:, 0] = rho[:, None] * rule.push
    A[:, 1:, 1:] = rule.keep - np.multiply.outer(rule.push, rule.start)
    return A, np.array([1 - alpha, *rule.push])


def _sum_squares(mean: Floats, covariance: Floats) -> Floats:
    """Return ``E (m - w)^2``, summed over directions, from the moments of ``(m, w, v)``."""
    apart = np.array([1.0, -1.0, 0.0])
    return np.asarray(np.sum((mean @ apart) ** 2 + apart @ covariance @ apart))


def _add_learners(now: Moments, rule: LinearRule) -> tuple[Floats, Floats]:
    """Return mean and covariance of ``(m, w, v)``, as learners begin where the rule says."""
    B = np.vstack((rule.start, np.eye(2)))
    return np.matvec(B, now.mean), B @ now.covariance @ B.T
