"""Exact moments of learners with their own numbers of steps (docs/methods.md, "Who averages").

Learner j moves by ``d_j = -B_j (G + b_j) + e_j`` with ``B_j = gamma (1 + r + ... + r^(K_j - 1))``,
and the mean is ``(1/P) sum_j f_j d_j`` with ``f_j = 1``, or ``tau / K_j`` for FedNova.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from kavg.aggregations import OwnSteps, Stragglers
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.methods.limits import (
    refuse_one_that_differs,
    require_additive_noise,
    require_equal_learners,
)
from kavg.analysis.exact.methods.linear_rounds import (
    Description,
    RoundLaw,
    iterate_linear_rounds,
)
from kavg.analysis.exact.moment_recursion import Moments
from kavg.base import Floats
from kavg.problem import Algorithm


def iterate_own_step_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> law = OwnSteps(Ks=(1, 2))
    >>> method = Algorithm(P=2, K=2, gamma=0.5, outer=Averaging(), aggregation=law)
    >>> rounds = iterate_own_step_moments(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(3)]
    [8.0, 3.0, 1.125]
    """
    return iterate_linear_rounds(problem, algorithm, describe_own_steps(problem, algorithm))


def describe_own_steps(problem: EigenProblem, algorithm: Algorithm) -> Description:
    """Return the law of a round by its ``K`` and ``gamma``; raise ``KavgError`` if it has none."""
    law = algorithm.aggregation
    assert isinstance(law, OwnSteps)
    require_additive_noise(problem, "learners with their own steps")
    # Shifts of single learners are not known in the eigenbasis, only their mean square.
    require_equal_learners(problem, "learners with their own steps")
    counts = Counter(law.Ks)

    def describe(K: int, gamma: float) -> RoundLaw:  # noqa: ARG001 - all have their own
        return describe_mixed_steps(problem, counts, gamma, is_nova=law.weights == "fednova")

    return describe


def iterate_straggler_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Each learner is slow equally often, so learners may differ by shifts.
    """
    return iterate_linear_rounds(problem, algorithm, describe_stragglers(problem, algorithm))


def describe_stragglers(problem: EigenProblem, algorithm: Algorithm) -> Description:
    """Return the law of a round by its ``K`` and ``gamma``; raise ``KavgError`` if it has none."""
    law, P = algorithm.aggregation, algorithm.P
    assert isinstance(law, Stragglers)
    require_additive_noise(problem, "stragglers")
    refuse_one_that_differs(problem, algorithm)

    def describe(K: int, gamma: float) -> RoundLaw:
        counts = Counter({law.K_slow: law.slow}) + Counter({K: P - law.slow})
        return describe_mixed_steps(problem, counts, gamma, is_nova=law.weights == "fednova")

    return describe


def describe_mixed_steps(
    problem: EigenProblem, counts: Counter[int], gamma: float, *, is_nova: bool
) -> RoundLaw:
    """Return a round in which ``counts[K]`` learners, drawn anew, take K steps.

    ``sum_j f_j B_j b_j / P`` has, over draws, the variance ``zeta2 (mean of (f B)^2 - square of the
    mean) / (P - 1)``, as the b_j have mean 0.
    """
    P, r = counts.total(), 1 - gamma * problem.h
    tau = sum(K * many for K, many in counts.items()) / P
    gains: list[Floats] = []
    noises: list[Floats] = []
    shares: list[float] = []
    for K, many in counts.items():
        f = tau / K if is_nova else 1.0
        gains.append(f * gamma * geometric_sum(r, K))
        noises.append(f**2 * gamma**2 * problem.m_0 * geometric_sum(r**2, K))
        shares.append(many / P)
    squares: list[Floats] = [b**2 for b in gains]
    gain, square, own = (_average(shares, x) for x in (gains, squares, noises))
    between = problem.zeta2 * (square - gain**2) / max(P - 1, 1)
    return RoundLaw(
        gain=gain,
        noise=own / P + between,
        sway=np.zeros_like(gain),
        spread=own * (1 - 1 / P) + problem.zeta2 * square - between,
        drift=square - gain**2,
    )


def _average(shares: list[float], values: list[Floats]) -> Floats:
    return np.asarray(sum(share * value for share, value in zip(shares, values, strict=True)))
