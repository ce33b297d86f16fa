"""Exact moments of asynchronous SGD, whose updates begin at iterates that are some updates old.

In one eigendirection with eigenvalue h and slope c put ``r = 1 - gamma h``, ``rho = r^K`` and
``q = gamma (1 + r + ... + r^(K-1)) c``.  Let ``u_k`` be the iterate k updates ago and ``p_k`` the
probability that an update begins there.  An update adds ``(rho - 1) u_tau - q + e``, where the
noise e of K steps has mean 0, variance ``a_K`` and no part in any earlier iterate.  So means and
second moments of the last iterates close::

    E u       = E u_0 + (rho - 1) sum_k p_k E u_k - q
    E u u_j   = E u_0 u_j + (rho - 1) sum_k p_k E u_k u_j - q E u_j
    E u^2     = E u_0^2 + sum_k p_k [(rho - 1)^2 E u_k^2 + 2 (rho - 1) (E u_0 u_k - q E u_k)]
                - 2 q E u_0 + q^2 + a_K

The staleness is drawn for all directions together, which correlates them; means and variances of
each do not need that.  The dispersion of a round is the mean over its updates, and the sum over
directions, of ``sum_k p_k E (u_0 - u_k)^2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final, NamedTuple, final

import numpy as np

from kavg.aggregations import StaleGradients
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.methods.limits import (
    require_additive_noise,
    require_equal_learners,
    require_memory,
)
from kavg.analysis.exact.moment_recursion import Moments, initial_moments
from kavg.base import Floats
from kavg.problem import Algorithm

LARGEST: Final = 2**24
"""Numbers of the second moments of all directions, 128 MB."""


class _Step(NamedTuple):
    """An update in every direction: ``rho - 1``, ``q`` and ``a_K``, each ``(d, 1)``."""

    pull: Floats
    drift: Floats
    noise: Floats


@final
class Past:
    """Means ``E u_k (d, H + 1)`` and second moments ``E u_k u_j (d, H + 1, H + 1)``."""

    def __init__(self, mean: Floats, variance: Floats, H: int) -> None:
        """Before the start all iterates are the start."""
        self.mean = np.repeat(mean[:, None], H + 1, axis=1)
        square = (mean**2 + variance)[:, None, None]
        self.square = np.broadcast_to(square, (len(mean), H + 1, H + 1)).copy()

    def distance(self, p: Floats) -> Floats:
        """Return ``sum_k p_k E (u_0 - u_k)^2``, ``(d,)``."""
        own = np.diagonal(self.square, axis1=1, axis2=2)
        return np.asarray((own[:, :1] - 2 * self.square[:, 0] + own) @ p)

    def update(self, p: Floats, step: _Step) -> None:
        """Take one update; the oldest iterate is forgotten."""
        mean, square, (pull, drift, noise) = self.mean, self.square, step
        own = np.diagonal(square, axis1=1, axis2=2)
        newest = mean[:, :1] + pull * (mean @ p)[:, None] - drift
        beside = square[:, 0] + pull * np.matvec(square, p) - drift * mean
        # The terms of E u^2 that come from where the update began.
        began = pull**2 * own + 2 * pull * (square[:, 0] - drift * mean)
        itself = square[:, 0, :1] + (began @ p)[:, None] - 2 * drift * mean[:, :1]
        # Copies, as what is read and what is written overlap.
        square[:, 1:, 1:] = square[:, :-1, :-1].copy()
        square[:, 0, 1:] = square[:, 1:, 0] = beside[:, :-1]
        square[:, 0, 0] = (itself + drift**2 + noise)[:, 0]
        mean[:, 1:] = mean[:, :-1].copy()
        mean[:, 0] = newest[:, 0]


def iterate_stale_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    One update a round, each from the iterate before the last update:

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> law = StaleGradients("constant", mean=1.0)
    >>> method = Algorithm(P=1, K=1, gamma=0.5, outer=Averaging(), aggregation=law)
    >>> rounds = iterate_stale_moments(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 4.0, 0.0, -2.0]
    """
    assert isinstance(algorithm.aggregation, StaleGradients)
    what, P = "stale_gradients", algorithm.P
    H = algorithm.aggregation.count_past(P)
    require_additive_noise(problem, what)
    require_equal_learners(problem, what)
    require_memory(len(problem.h) * (H + 1) ** 2, LARGEST, what)
    p = algorithm.aggregation.list_probabilities(P)
    past = Past(problem.mean, problem.variance, H)
    yield initial_moments(problem)
    for n in count(1):
        step = _plan_step(problem, algorithm.step_size(n), algorithm.count_local_steps(n))
        dispersion = 0.0
        # An unstable method overflows, as its run does.
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(P):
                dispersion += past.distance(p).sum() / P
                past.update(p, step)
            yield _newest_moments(past, dispersion)


def _plan_step(problem: EigenProblem, gamma: float, K: int) -> _Step:
    r = 1 - gamma * problem.h
    drift = gamma * geometric_sum(r, K) * problem.slope
    noise = gamma**2 * problem.m_0 * geometric_sum(r**2, K)
    return _Step((r**K - 1)[:, None], drift[:, None], noise[:, None])


def _newest_moments(past: Past, dispersion: float) -> Moments:
    """Return the moments of ``(w, v)``, where v is 0."""
    mean, covariance = np.zeros((len(past.mean), 2)), np.zeros((len(past.mean), 2, 2))
    mean[:, 0] = past.mean[:, 0]
    # Rounding may leave a variance that is 0 a little below it.
    covariance[:, 0, 0] = np.maximum(past.square[:, 0, 0] - mean[:, 0] ** 2, 0.0)
    return Moments(mean, covariance, np.asarray(dispersion))
