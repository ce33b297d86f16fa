"""Exact moments of a random subset of the learners (docs/methods.md, "Who averages").

The mean displacement is ``(1/m) sum_{j in S} f_j d_j`` with factors ``f_j``; learner j moves by
``d_j = -b (G + b_j) + e_j`` with ``b = gamma (1 + r + ... + r^(K-1))`` and noise of variance a_K.
For a simple random sample of m of P numbers ``x_j`` with mean 0,
``Var (1/m) sum_{j in S} x_j = (1/m - 1/P) sum_j x_j^2 / (P - 1)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Final

import numpy as np

from kavg.aggregations import SampledLearners
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.methods.limits import (
    refuse_one_that_differs,
    require_additive_noise,
    require_equal_learners,
    require_memory,
)
from kavg.analysis.exact.methods.linear_rounds import (
    Description,
    RoundLaw,
    iterate_linear_rounds,
)
from kavg.analysis.exact.moment_recursion import Moments
from kavg.problem import Algorithm

MOST_SUBSETS: Final = 200_000
"""Subsets that are enumerated at most."""
WHAT: Final = "sampled learners"


def iterate_sampled_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Learners that differ by shifts, with one of P = 4 in a round; with all of them there is none:

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> hill = eigen_problem([0.0], zeta2=3.0)
    >>> for m in (1, 2, 4):
    ...     law = SampledLearners(m)
    ...     method = Algorithm(P=4, K=1, gamma=1.0, outer=Averaging(), aggregation=law)
    ...     rounds = iterate_sampled_moments(hill, method)
    ...     print([float(next(rounds).variance[0]) for _ in range(2)])
    [0.0, 3.0]
    [0.0, 1.0]
    [0.0, 0.0]
    """
    return iterate_linear_rounds(problem, algorithm, describe_sampled_rounds(problem, algorithm))


def describe_sampled_rounds(problem: EigenProblem, algorithm: Algorithm) -> Description:
    """Return the law of a round by its ``K`` and ``gamma``.

    Raises:
        KavgError: if it has no exact form.
    """
    law, P = algorithm.aggregation, algorithm.P
    assert isinstance(law, SampledLearners)
    require_additive_noise(problem, WHAT)
    refuse_one_that_differs(problem, algorithm)
    if law.weights is not None:
        require_equal_learners(problem, f"{WHAT} with weights")
    square, variance = find_factors(law, P)
    # Of the mean of m of the P shifts, in units of zeta2.
    missing = (1 / law.m - 1 / P) * P / max(P - 1, 1)

    def describe(K: int, gamma: float) -> RoundLaw:
        r = 1 - gamma * problem.h
        b = gamma * geometric_sum(r, K)
        own = gamma**2 * problem.m_0 * geometric_sum(r**2, K)
        shifts = b**2 * problem.zeta2
        return RoundLaw(
            gain=b,
            noise=own * square / law.m + shifts * missing,
            sway=variance * b**2,
            spread=own * square * (1 - 1 / law.m) + shifts * (1 - missing),
            drift=(square - 1 - variance) * b**2,
        )

    return describe


def find_factors(law: SampledLearners, P: int) -> tuple[float, float]:
    """Return ``E (1/m) sum_S f_j^2`` and ``Var (1/m) sum_S f_j`` of the factors of a round.

    >>> find_factors(SampledLearners(2), P=5)
    (1.0, 0.0)
    >>> find_factors(SampledLearners(1, weights=(1.0, 3.0)), P=2)
    (1.25, 0.25)
    >>> find_factors(SampledLearners(1, weights=(1.0, 3.0), scaling="normalised"), P=2)
    (1.0, 0.0)
    """
    if law.weights is None:
        return 1.0, 0.0
    p = np.array(law.weights) / np.sum(law.weights)
    if law.scaling == "unbiased":
        f = p * P
        variance = (1 / law.m - 1 / P) * np.square(f - 1).sum() / max(P - 1, 1)
        return float(np.square(f).mean()), float(variance)
    subsets = np.array(list_subsets(P, law.m))
    shares = p[subsets] / p[subsets].sum(axis=1, keepdims=True)
    # The factors are m times the shares, whose sum is 1.
    return float(law.m * np.square(shares).sum(axis=1).mean()), 0.0


def list_subsets(P: int, m: int) -> Sequence[tuple[int, ...]]:
    """Return all subsets of m of P learners; raise ``KavgError`` if they are too many.

    >>> len(list_subsets(5, 2))
    10
    """
    require_memory(comb(P, m), MOST_SUBSETS, "all subsets of m learners")
    return list(combinations(range(P), m))
