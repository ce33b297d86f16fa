"""Exact moments of means of the meta-iterates, which measures of averages record.

With ``z = (w, v)`` and a mean ``a' = (1 - c) a + c w'`` of weight c after each round, ``(z, a)``
obeys a recursion of the same form as ``z`` alone: ``z' = T z + g d``, and ``a' = c T_w z +
(1 - c) a + c g_w d``.  So a is one more component, on which no displacement depends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.moment_recursion import (
    Moments,
    forget_memory,
    initial_moments,
    next_moments,
)
from kavg.problem import Algorithm


def iterate_averages(
    problem: EigenProblem, algorithm: Algorithm, weight: Callable[[int], float]
) -> Iterator[Moments]:
    """Yield the moments of the mean at the start, then after one round after another, without end.

    ``weight(n)`` is c after round n, and the mean begins with the start.  The method is one of
    plain SGD whose learners are all averaged.  Means are ``(d, 1)`` and covariances ``(d, 1, 1)``.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=Averaging())
    >>> rounds = iterate_averages(eigen_problem([1.0], mean=8.0), method, lambda n: 0.5)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 6.0, 4.0, 2.5]
    """
    now = initial_moments(problem, size=3)
    now.mean[..., 2] = problem.mean
    # The mean of one point is that point, so all its covariances are the variance of w_1.
    now.covariance[..., 2, 2] = now.covariance[..., 0, 2] = now.covariance[..., 2, 0] = (
        problem.variance
    )
    rule, rule_gamma = None, 0.0
    for n in count(1):
        yield Moments(now.mean[..., 2:], now.covariance[..., 2:, 2:], now.dispersion)
        gamma = algorithm.step_size(n)
        if rule is None or gamma != rule_gamma:
            rule, rule_gamma = linear_rule(algorithm.outer, gamma), gamma
        if algorithm.is_restart(n):
            now = forget_memory(now)
        K = algorithm.count_local_steps(n)
        both = add_average(rule, weight(n))
        now = next_moments(problem, both, now, P=algorithm.P, K=K, gamma=gamma)


def add_average(rule: LinearRule, c: float) -> LinearRule:
    """Return a rule whose state has one more component: the mean, of which c is the new w.

    >>> from kavg.outer import BlockMomentum
    >>> add_average(linear_rule(BlockMomentum(mu=0.5), gamma=1.0), 0.25).push
    array([1.  , 1.  , 0.25])
    """
    keep = np.zeros((3, 3))
    keep[:2, :2], keep[2, :2], keep[2, 2] = rule.keep, c * rule.keep[0], 1.0 - c
    return LinearRule(np.append(rule.start, 0.0), keep, np.append(rule.push, c * rule.push[0]))
