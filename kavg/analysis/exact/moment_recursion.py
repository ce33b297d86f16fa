"""Exact moments, round by round: any linear outer rule, any schedule, any K and P.

In one eigendirection with eigenvalue h and slope c the gradient is ``h x + c``.  Learner j adds
``b_j`` (of mean zero over learners), and the noise of one mini-batch gradient at its local iterate
has variance ``m_0 + m_v ||grad f_j||^2`` in every direction.  Put ``r = 1 - gamma h``,
``rho = r^K``, ``S = 1 + r + ... + r^(K-1)`` and ``y = s . (w, v)``, the start of the round.

- Learner j moves by ``(rho - 1) y - gamma S (c + b_j)`` and its own noise; the mean over learners
  has no ``b_j`` in it, and the noise has 1/P of the mean variance ``a_K`` of one learner's.
- Learners are uncorrelated given y.  One local step maps the noise's variance to
  ``a' = r^2 a + gamma^2 (m_0 + m_v E||grad f_j||^2)``.  The mean gradient, and what ``b_j``
  adds to it, shrink by r a step, so averaged over learners and summed over directions
  ``E||grad f_j||^2 = sum [r^(2t) (h^2 Var y + (h E y + c)^2 + zeta2) + h^2 a]``: second moments
  close, though m_v couples the directions.  In one dimension this is docs/theory.md, 4.6.
- The spread of the learners is ``sum [(1 - 1/P) a_K + gamma^2 S^2 zeta2]`` (4.1 has zeta2 = 0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm
from kavg.ranges import check_count


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and covariance of (w, v) in every direction, and the dispersion of the learners.

    ``mean (..., d, 2)``, ``covariance (..., d, 2, 2)``, ``dispersion (...)``.  Directions are
    uncorrelated.  The first axis of what ``moments`` returns is the round, 0..N;
    the dispersion is that of the learners at the end of the round, before averaging.  What else
    learners carry on stands behind w and v, and 2 is more.  ``consensus (...)`` is the mean squared
    distance from w of the iterates that learners go on from; None where all go on from w.
    """

    mean: Floats
    covariance: Floats
    dispersion: Floats
    consensus: Floats | None = None

    @property
    def w(self) -> Floats:
        """``E w (..., d)``, in eigen-coordinates."""
        return self.mean[..., 0]

    @property
    def variance(self) -> Floats:
        """``Var w (..., d)``, in eigen-coordinates."""
        return self.covariance[..., 0, 0]

    def F(self, problem: EigenProblem) -> Floats:
        """Return ``E F = sum [h E w^2 / 2 + c E w]``, ``(...)``."""
        square = self.variance + self.w**2
        return np.asarray((problem.h * square / 2 + problem.slope * self.w).sum(axis=-1))

    def grad_norm2(self, problem: EigenProblem) -> Floats:
        """Return ``E ||grad F||^2 = sum [h^2 Var w + (h E w + c)^2]``, ``(...)``."""
        steep = problem.h * self.w + problem.slope
        return np.asarray((problem.h**2 * self.variance + steep**2).sum(axis=-1))


def moments(problem: EigenProblem, algorithm: Algorithm, N: int) -> Moments:
    """Return the moments at the start and after each of N rounds, N + 1 rows an array.

    Exact for every linear outer rule, any schedule, and restarts of the outer memory; a run of
    ``simulate`` estimates them.

    Raises:
        KavgError: if N is below 1, the outer rule is not linear, or P = 1 and learners differ.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import BlockMomentum
    >>> hill = eigen_problem([0.0], slope=1.0)
    >>> moments(hill, Algorithm(P=2, K=3, gamma=1.0, outer=BlockMomentum(mu=0.5)), N=3).w[:, 0]
    array([ 0.  , -3.  , -7.5 , -12.75])
    """
    N = check_count("N", N, "use N=1 for a single round")
    return collect_moments(iterate_moments(problem, algorithm), N)


def collect_moments(rounds: Iterator[Moments], N: int) -> Moments:
    """Return the moments at the start and of the first N rounds as arrays of N + 1 rows."""
    few = list(islice(rounds, N + 1))
    parts = zip(*((each.mean, each.covariance, each.dispersion) for each in few), strict=True)
    apart = [each.consensus for each in few if each.consensus is not None]
    mean, covariance, dispersion = map(np.array, parts)
    return Moments(mean, covariance, dispersion, np.array(apart) if apart else None)


def iterate_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=Averaging())
    >>> rounds = iterate_moments(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 4.0, 2.0, 1.0]
    """
    if algorithm.P == 1 and np.any(problem.zeta2 > 0):
        raise KavgError("one learner cannot differ from the mean of all, got P=1 and zeta2 above 0")
    now = initial_moments(problem)
    rule, rule_gamma = None, 0.0
    for n in count(1):
        yield now
        gamma = algorithm.step_size(n)
        # Only when gamma changes, as computing the matrices applies the rule to a basis.
        if rule is None or gamma != rule_gamma:
            rule, rule_gamma = linear_rule(algorithm.outer, gamma), gamma
        if algorithm.is_restart(n):
            now = forget_memory(now)
        now = next_moments(
            problem, rule, now, P=algorithm.P, K=algorithm.count_local_steps(n), gamma=gamma
        )


def initial_moments(problem: EigenProblem, size: int = 2) -> Moments:
    """Return the moments of the start: ``w_1`` with its mean and variance, and all else 0.

    ``size`` is the number of components of the state in a direction, w and v first.

    >>> from kavg.analysis.exact import eigen_problem
    >>> initial_moments(eigen_problem([1.0], mean=2.0, variance=0.5)).mean
    array([[2., 0.]])
    """
    shape = (*problem.h.shape, size)
    mean, covariance = np.zeros(shape), np.zeros((*shape, size))
    mean[..., 0], covariance[..., 0, 0] = problem.mean, problem.variance
    return Moments(mean, covariance, np.zeros(problem.h.shape[:-1]))


def forget_memory(now: Moments) -> Moments:
    """Return the moments with ``v = 0``, as at the beginning of a round of a restart.

    >>> forget_memory(Moments(np.ones((1, 2)), np.ones((1, 2, 2)), np.zeros(()))).covariance
    array([[[1., 0.],
            [0., 0.]]])
    """
    mean, covariance = now.mean.copy(), now.covariance.copy()
    mean[..., 1] = covariance[..., 1, :] = covariance[..., :, 1] = 0.0
    return Moments(mean, covariance, now.dispersion)


def next_moments(
    problem: EigenProblem, rule: LinearRule, now: Moments, *, P: ArrayLike, K: int, gamma: float
) -> Moments:
    """Return the moments one round later.

    The mean is ``A E - gamma S c g``, the covariance ``A Cov A^T + (a_K/P) g g^T``.  The leading
    axes of ``rule`` are rules computed together; ``P`` broadcasts against them.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> flat, rule = eigen_problem([0.0], m_0=1.0), linear_rule(Averaging(), gamma=1.0)
    >>> next_moments(flat, rule, initial_moments(flat), P=[1, 2, 4], K=4, gamma=1.0).variance[:, 0]
    array([4., 2., 1.])
    """
    h, push, learners = problem.h, rule.push[..., None, :], np.asarray(P, np.float64)
    r = 1 - gamma * h
    A, S = rule.matrix(r**K), gamma * geometric_sum(r, K)
    # An unstable method overflows, as its run does; that is a result and not an error.
    with np.errstate(over="ignore", invalid="ignore"):
        y = (now.mean * rule.start[..., None, :]).sum(axis=-1)
        spread = np.einsum("...i,...dij,...j->...d", rule.start, now.covariance, rule.start)
        own = local_noise(problem, y, spread, K, gamma)
        mean = np.matvec(A, now.mean) - push * (S * problem.slope)[..., None]
        q = (own / learners[..., None])[..., None, None]
        noise = q * push[..., :, None] * push[..., None, :]
        covariance = A @ now.covariance @ np.swapaxes(A, -1, -2) + noise
        dispersion = (1 - 1 / learners) * own.sum(axis=-1) + (S**2 * problem.zeta2).sum(axis=-1)
    return Moments(mean, covariance, np.asarray(dispersion))


def local_noise(problem: EigenProblem, y: Floats, spread: Floats, K: int, gamma: float) -> Floats:
    """Return the variance a_K that the K local steps of one learner gather, ``(..., d)``.

    It is the mean over learners; ``y`` and ``spread (..., d)`` are mean and variance of the start
    of the round.  Computed step by step where ``m_v`` couples the directions.
    """
    h, r2 = problem.h, (1 - gamma * problem.h) ** 2
    # Where no direction depends on another, the K steps have a closed form.
    if not problem.has_state_noise:
        return gamma**2 * problem.m_0 * geometric_sum(r2, K)
    steep = h**2 * spread + (h * y + problem.slope) ** 2 + problem.zeta2
    second = spread + y**2  # of the iterate without its own noise, which shrinks as the gradient
    added = np.zeros_like(steep)
    for _ in range(K):
        square = (steep + h**2 * added).sum(axis=-1, keepdims=True)
        new = problem.m_0 + problem.m_v * square
        if problem.design > 0:  # 0 times an overflow would be NaN
            new = new + _design_noise(problem, second + added)
        added = r2 * added + gamma**2 * new
        steep, second = r2 * steep, r2 * second
    return added


def _design_noise(problem: EigenProblem, second: Floats) -> Floats:
    """Return what features that are drawn anew add at second moments ``(..., d)`` of w."""
    curved = problem.h * second
    total = curved.sum(axis=-1, keepdims=True)
    return np.asarray(problem.design * problem.h * (total + curved))
