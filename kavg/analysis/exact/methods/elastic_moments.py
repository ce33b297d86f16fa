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

Where the first gradient of a round is taken at the last iterate x and the step begins at the pulled
``(1 - alpha) x + alpha y``, both make one point ``e = (1 - alpha - gamma h) x + alpha y``, from
which ``K - 1`` steps are left: ``r^(K-1)`` stands for rho and ``1 - alpha - gamma h``, with the
gamma of that round, for ``1 - alpha``.  In the first round e is ``r y``.  What m is in the lines
above e is then, and the consensus distance, which is that of the pulled iterates, is not known.
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
    alpha, is_last = algorithm.aggregation.alpha, algorithm.aggregation.first_gradient == "last"
    now = initial_moments(problem)
    now = now if is_last else replace(now, consensus=np.zeros(()))
    begun = 1 - algorithm.step_size(1) * problem.h if is_last else np.ones_like(problem.h)
    mean, covariance = _add_learners(
        now, linear_rule(algorithm.outer, algorithm.step_size(1)), begun
    )
    # Followed apart, as what tells learners apart has no part in their mean.
    spread = _Spread(np.zeros_like(problem.h), np.zeros_like(problem.h))
    for n in count(1):
        yield now
        gamma, K = algorithm.step_size(n), algorithm.count_local_steps(n)
        r = 1 - gamma * problem.h
        left, S = r ** (K - is_last), gamma * geometric_sum(r, K)
        own = gamma**2 * problem.m_0 * geometric_sum(r**2, K)
        # What the next round begins with, of a distance from the centre.
        carry = 1 - alpha - is_last * algorithm.step_size(n + 1) * problem.h
        A, push = elastic_matrix(linear_rule(algorithm.outer, gamma), alpha, left, carry)
        # An unstable method overflows, as its run does.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.matvec(A, mean) - push * (S * problem.slope)[:, None]
            noise = (own / algorithm.P)[:, None, None] * push[:, :, None] * push[:, None, :]
            covariance = A @ covariance @ np.swapaxes(A, -1, -2) + noise
            ends = _Spread(
                left**2 * spread.noise + (1 - 1 / algorithm.P) * own, left * spread.shift - S
            )
            dispersion = np.sum(ends.noise + ends.shift**2 * problem.zeta2)
            spread = _Spread(carry**2 * ends.noise, carry * ends.shift)
            # Learners about their mean, and that about w.
            apart = np.sum(spread.noise + spread.shift**2 * problem.zeta2)
            consensus = None if is_last else np.asarray(apart + _sum_squares(mean, covariance))
        now = Moments(mean[:, 1:], covariance[:, 1:, 1:], np.asarray(dispersion), consensus)


def elastic_matrix(
    rule: LinearRule, alpha: float, rho: Floats, carry: Floats
) -> tuple[Floats, Floats]:
    """Return the matrix of a round on ``(m, w, v)``, and what takes noise: ``(d, 3, 3), (d, 3)``.

    Learners keep ``carry (d,)`` of their last iterate.

    >>> from kavg.outer import Averaging
    >>> numbers = 0.25, np.array([0.5]), np.array([0.75])
    >>> matrix, push = elastic_matrix(linear_rule(Averaging(), 1.0), *numbers)
    >>> matrix[0, :2, :2], push
    (array([[0.375, 0.25 ],
           [0.5  , 0.   ]]), array([[0.75, 1.  , 0.  ]]))
    """
    A = np.empty((len(rho), 3, 3))
    A[:, 0, 0], A[:, 0, 1:] = carry * rho, alpha * rule.start
    A[:, 1:, 0] = rho[:, None] * rule.push
    A[:, 1:, 1:] = rule.keep - np.multiply.outer(rule.push, rule.start)
    return A, np.column_stack((carry, np.tile(rule.push, (len(rho), 1))))


def _sum_squares(mean: Floats, covariance: Floats) -> Floats:
    """Return ``E (m - w)^2``, summed over directions, from the moments of ``(m, w, v)``."""
    apart = np.array([1.0, -1.0, 0.0])
    return np.asarray(np.sum((mean @ apart) ** 2 + apart @ covariance @ apart))


def _add_learners(now: Moments, rule: LinearRule, begun: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of ``(m, w, v)``; m is ``begun (d,)`` times where rounds begin."""
    B = np.empty((len(begun), 3, 2))
    B[:, 0], B[:, 1:] = np.multiply.outer(begun, rule.start), np.eye(2)
    return np.matvec(B, now.mean), B @ now.covariance @ np.swapaxes(B, -1, -2)
