"""Exact moments of gossip: those of averaging, with another dispersion.

A doubly stochastic W leaves the mean of the learners alone.  With steps that are linear in the
iterate and noise that is the same everywhere, w therefore has the moments of K-AVG, whatever W is.
In one eigendirection the covariance C of the learners' iterates, less that of their common start,
becomes ``C_K = rho^2 C + a_K I`` in K steps, and ``W C_K W^T`` by mixing.  The dispersion before
mixing is the sum over directions of ``tr(C_K)/P - 1^T C_K 1/P^2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

import numpy as np

from kavg.aggregations import Gossip
from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.methods.limits import (
    require_additive_noise,
    require_equal_learners,
    require_memory,
)
from kavg.analysis.exact.moment_recursion import Moments, iterate_moments
from kavg.base import Floats
from kavg.problem import Algorithm

LARGEST: Final = 2**22
"""Numbers of the covariances of all directions, 32 MB."""


def iterate_gossip_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Two learners that never meet have twice the dispersion after two rounds on a flat function:

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> flat, apart = eigen_problem([0.0], m_0=1.0), Gossip(mixing="identity")
    >>> method = Algorithm(P=2, K=1, gamma=1.0, outer=Averaging(), aggregation=apart)
    >>> rounds = iterate_gossip_moments(flat, method)
    >>> [float(next(rounds).dispersion) for _ in range(3)]
    [0.0, 0.5, 1.0]
    """
    P, d = algorithm.P, len(problem.h)
    require_additive_noise(problem, "gossip")
    require_equal_learners(problem, "gossip")
    require_memory(d * P * P, LARGEST, "gossip")
    W, C = mixing_matrix(algorithm), np.zeros((d, P, P))
    means = iterate_moments(problem, algorithm)
    yield replace(next(means), consensus=np.zeros(()))
    for n, now in zip(count(1), means, strict=False):
        gamma, K = algorithm.step_size(n), algorithm.count_local_steps(n)
        r2 = (1 - gamma * problem.h) ** 2
        own = gamma**2 * problem.m_0 * geometric_sum(r2, K)
        # An unstable method overflows, as its run does.
        with np.errstate(over="ignore", invalid="ignore"):
            C = (r2**K)[:, None, None] * C + own[:, None, None] * np.eye(P)
            dispersion = _sum_spread(C)
            C = W @ C @ W.T
            # The mean of the iterates is w, whatever W is.
            yield replace(now, dispersion=dispersion, consensus=_sum_spread(C))


def _sum_spread(C: Floats) -> Floats:
    """Return the mean squared distance of P iterates from their mean, for ``C (d, P, P)``."""
    P = C.shape[-1]
    spread = np.trace(C, axis1=1, axis2=2) / P - C.sum(axis=(1, 2)) / P**2
    return np.asarray(spread.sum())


def mixing_matrix(algorithm: Algorithm) -> Floats:
    """Return W, ``(P, P)``.

    >>> from kavg.outer import Averaging
    >>> ring = Algorithm(P=2, K=1, gamma=1.0, outer=Averaging(), aggregation=Gossip())
    >>> mixing_matrix(ring)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    assert isinstance(algorithm.aggregation, Gossip)
    W = np.zeros((algorithm.P, algorithm.P))
    for j, row in enumerate(W):
        for i, weight in algorithm.aggregation.list_weights(j, algorithm.P):
            row[i] = weight
    return W
