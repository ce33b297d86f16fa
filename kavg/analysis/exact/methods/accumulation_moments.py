"""Exact moments where all gradients of a round are taken at its start.

On a quadratic the mean displacement of a round is ``-gamma K (h y + c)`` and its noise that of K
gradients at one point: a round of one local step of ``gamma K`` whose noise has 1/K of the
variance.  The outer rule is given ``gamma`` itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_rules import linear_rule
from kavg.analysis.exact.methods.limits import refuse_one_that_differs
from kavg.analysis.exact.moment_recursion import (
    Moments,
    forget_memory,
    initial_moments,
    next_moments,
)
from kavg.problem import Algorithm


def iterate_accumulated(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments of ``optimizers.Accumulation``: at the start, then after each round.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.optimizers import Accumulation
    >>> from kavg.outer import Averaging
    >>> method = Algorithm(P=2, K=2, gamma=0.25, outer=Averaging(), optimizer=Accumulation())
    >>> rounds = iterate_accumulated(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 4.0, 2.0, 1.0]
    """
    refuse_one_that_differs(problem, algorithm)
    now = initial_moments(problem)
    for n in count(1):
        yield now
        K, gamma = algorithm.count_local_steps(n), algorithm.step_size(n)
        rule = linear_rule(algorithm.outer, gamma)
        if algorithm.is_restart(n):
            now = forget_memory(now)
        mean_of_K = replace(
            problem, m_0=problem.m_0 / K, m_v=problem.m_v / K, design=problem.design / K
        )
        now = next_moments(mean_of_K, rule, now, P=algorithm.P, K=1, gamma=gamma * K)
