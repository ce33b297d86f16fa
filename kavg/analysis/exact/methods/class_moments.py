"""Exact moments of learners that differ by curvature (docs/theory.md, 4.7).

In one eigendirection learner j has ``f_j' = h_j x + c_j``.  With ``rho_j = (1 - gamma h_j)^K`` and
``S_j = gamma (1 + r_j + ... + r_j^(K-1))`` it moves from y by ``(rho_j - 1) y - S_j c_j`` and its
noise, of variance ``a_j = gamma^2 m_0 sum_t r_j^(2t)``.  So the mean over learners contracts by
the mean of the rho_j, drifts by that of the ``S_j c_j``, and has noise ``mean(a_j) / P``; about it
learners spread by

    Var(rho_j) E y^2 - 2 Cov(rho_j, S_j c_j) E y + Var(S_j c_j) + (1 - 1/P) mean(a_j),

with variances over learners.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem, LearnerClasses, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.moment_recursion import Moments, forget_memory, initial_moments
from kavg.errors import KavgError
from kavg.problem import Algorithm


def iterate_class_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Raises:
        KavgError: if local steps are not those of plain SGD, or not all learners are averaged.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> h, c = np.array([[0.5], [1.0]]), np.zeros((2, 1))
    >>> unlike = LearnerClasses(np.array([0.5, 0.5]), h, c, c)
    >>> bowl = eigen_problem([0.75], mean=8.0, classes=unlike)
    >>> rounds = iterate_class_moments(bowl, Algorithm(P=2, K=2, gamma=1.0, outer=Averaging()))
    >>> [float(next(rounds).w[0]) for _ in range(3)]
    [8.0, 1.0, 0.125]
    """
    classes = problem.classes
    if classes is None or not algorithm.is_plain:
        raise KavgError(
            "exact moments of learners that differ by curvature are known for local steps of plain "
            f"SGD and the mean of all learners, not for {algorithm.optimizer!r:.80} with "
            f"{algorithm.aggregation!r:.80}; use spread = 0, or simulate it instead"
        )
    now = initial_moments(problem)
    for n in count(1):
        yield now
        gamma, K = algorithm.step_size(n), algorithm.count_local_steps(n)
        if algorithm.is_restart(n):
            now = forget_memory(now)
        rule = linear_rule(algorithm.outer, gamma)
        now = _next_moments(problem, classes, rule, now, (algorithm.P, K, gamma))


def _next_moments(
    problem: EigenProblem,
    classes: LearnerClasses,
    rule: LinearRule,
    now: Moments,
    numbers: tuple[int, int, float],
) -> Moments:
    P, K, gamma = numbers
    # An unstable method overflows, as its run does; that is a result and not an error.
    with np.errstate(over="ignore", invalid="ignore"):
        r = 1 - gamma * classes.h
        rho, S = r**K, gamma * geometric_sum(r, K)
        mean_rho, drift = classes.average(rho), classes.average(S * classes.slope)
        own = problem.m_0 * gamma**2 * classes.average(geometric_sum(r**2, K))
        y = now.mean @ rule.start
        square = y**2 + np.einsum("i,dij,j->d", rule.start, now.covariance, rule.start)
        A, push = rule.matrix(mean_rho), rule.push
        noise = (own / P)[:, None, None] * np.outer(push, push)
        apart = (classes.average(rho**2) - mean_rho**2) * square
        apart -= 2 * (classes.average(rho * S * classes.slope) - mean_rho * drift) * y
        apart += classes.average(S**2 * classes.slope2) - drift**2
        return Moments(
            np.matvec(A, now.mean) - drift[:, None] * push,
            A @ now.covariance @ np.swapaxes(A, -1, -2) + noise,
            np.asarray((apart + (1 - 1 / P) * own).sum()),
        )
