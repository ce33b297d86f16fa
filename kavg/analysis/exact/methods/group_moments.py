"""Exact moments of Hier-AVG: those of averaging, with another dispersion.

The average of a group leaves the mean of its learners alone.  With steps that are linear in the
iterate and noise that is the same everywhere, w therefore has the moments of K-AVG, whatever the
groups are.  Of the three levels (a learner about its group, a group about all, all) only the first
two make the dispersion.  Let ``a_t`` be the variance of one learner's noise after t steps.  A
learner has ``a_{K1}`` about the point where its group began the last block; the point of a group of
S learners has 1/S of ``a_K`` in all.  With G groups of any sizes the mean over the P learners is::

    within   (1 - G/P) a_{K1}
    between  ((G - 1)/P) a_K
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kavg.aggregations import GroupedLearners
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.methods.limits import require_additive_noise, require_equal_learners
from kavg.analysis.exact.methods.linear_rounds import (
    Description,
    RoundLaw,
    iterate_linear_rounds,
)
from kavg.analysis.exact.moment_recursion import Moments
from kavg.base.step_functions import check_blocks
from kavg.problem import Algorithm


def iterate_group_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Four learners on a flat function, K1 = 1 and K = 4: groups of 1, 2 and 4 learners.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> flat = eigen_problem([0.0], m_0=1.0)
    >>> for groups in (4, 2, 1):
    ...     law = GroupedLearners(K1=1, groups=groups)
    ...     method = Algorithm(P=4, K=4, gamma=1.0, outer=Averaging(), aggregation=law)
    ...     rounds = iterate_group_moments(flat, method)
    ...     print([float(next(rounds).dispersion) for _ in range(2)])
    [0.0, 3.0]
    [0.0, 1.5]
    [0.0, 0.75]
    """
    return iterate_linear_rounds(problem, algorithm, describe_grouped_rounds(problem, algorithm))


def describe_grouped_rounds(problem: EigenProblem, algorithm: Algorithm) -> Description:
    """Return the law of a round by its ``K`` and ``gamma``; raise ``KavgError`` if it has none."""
    law, P = algorithm.aggregation, algorithm.P
    assert isinstance(law, GroupedLearners)
    require_additive_noise(problem, "groups")
    require_equal_learners(problem, "groups")
    G, K1 = len(law.group_sizes(P)), law.K1

    def describe(K: int, gamma: float) -> RoundLaw:
        check_blocks(K1, K)
        r, nothing = 1 - gamma * problem.h, np.zeros_like(problem.h)
        within, all_steps = (
            gamma**2 * problem.m_0 * geometric_sum(r**2, steps) for steps in (K1, K)
        )
        return RoundLaw(
            gain=gamma * geometric_sum(r, K),
            noise=all_steps / P,
            sway=nothing,
            spread=(1 - G / P) * within + (G - 1) / P * all_steps,
            drift=nothing,
        )

    return describe
