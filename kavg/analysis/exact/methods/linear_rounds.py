"""Moments of methods whose rounds are linear in their starts, whoever is averaged.

In one eigendirection with eigenvalue h and slope c let y be the start of the round and
``G = h y + c`` the gradient there.  The mean displacement is ``-s b G + e`` with the gain b of the
round, a random factor s of mean 1 and noise e, both independent of y.  Then::

    (w, v) <- T (w, v) + g (-s b G + e)
    E  <- A E - b c g                                   A = T - b h g s^T
    Cov <- A Cov A^T + (Var e + Var s b^2 E G^2) g g^T

so a method is described by ``b``, ``Var e``, ``Var s`` and its dispersion, which is a number plus a
multiple of ``E G^2``.  ``moment_recursion`` has the plain round, whose noise may grow with G.

The stationary V solves the last line: it is ``q U`` with U that of ``q = 1``, and with the part
``V_y`` of the start ``q = Var e + Var s b^2 h^2 V_y`` is linear in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import final

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.moment_recursion import Moments, forget_memory, initial_moments
from kavg.analysis.exact.stationary import stationary_covariance
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm


@final
@dataclass(frozen=True, eq=False)
class RoundLaw:
    """The law of a round in every direction: arrays ``(d,)``.

    ``gain`` is b, ``noise`` is ``Var e``, and ``sway`` is ``Var s b^2``.  The dispersion is
    ``sum (spread + drift E G^2)`` over the directions.
    """

    gain: Floats
    noise: Floats
    sway: Floats
    spread: Floats
    drift: Floats


Description = Callable[[int, float], RoundLaw]
"""The law of a round from its ``K`` and ``gamma``."""


def iterate_linear_rounds(
    problem: EigenProblem, algorithm: Algorithm, describe: Description
) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end."""
    now = initial_moments(problem)
    for n in count(1):
        yield now
        gamma = algorithm.step_size(n)
        if algorithm.is_restart(n):
            now = forget_memory(now)
        done = describe(algorithm.count_local_steps(n), gamma)
        now = follow_round(problem, linear_rule(algorithm.outer, gamma), now, done)


def follow_round(problem: EigenProblem, rule: LinearRule, now: Moments, done: RoundLaw) -> Moments:
    """Return the moments after a round.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> one, none = np.ones(1), np.zeros(1)
    >>> bowl, rule = eigen_problem([1.0], mean=8.0), linear_rule(Averaging(), gamma=1.0)
    >>> half = RoundLaw(one / 2, one, none, none, none)
    >>> after = follow_round(bowl, rule, initial_moments(bowl), half)
    >>> after.w, after.variance
    (array([4.]), array([1.]))
    """
    h, push, start = problem.h, rule.push, rule.start
    A = rule.matrix(1 - h * done.gain)
    # An unstable method overflows, as its run does.
    with np.errstate(over="ignore", invalid="ignore"):
        y = (now.mean * start).sum(axis=-1)
        variance = np.einsum("i,dij,j->d", start, now.covariance, start)
        steep = h**2 * variance + (h * y + problem.slope) ** 2
        mean = np.matvec(A, now.mean) - (done.gain * problem.slope)[:, None] * push
        q = (done.noise + done.sway * steep)[:, None, None]
        covariance = A @ now.covariance @ np.swapaxes(A, -1, -2) + q * np.multiply.outer(push, push)
        dispersion = (done.spread + done.drift * steep).sum()
    return Moments(mean, covariance, np.asarray(dispersion))


def stationary_round(problem: EigenProblem, rule: LinearRule, law: RoundLaw) -> Moments:
    """Return the moments that those of rounds of one law approach, on a function with a minimum.

    Raises:
        KavgError: if there is no stationary law.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.outer import Averaging
    >>> one, none = np.ones(1), np.zeros(1)
    >>> bowl, rule = eigen_problem([1.0]), linear_rule(Averaging(), gamma=1.0)
    >>> stationary_round(bowl, rule, RoundLaw(one / 2, 0.75 * one, none, none, none)).variance
    array([1.])
    """
    h, start = problem.h, rule.start
    unit = stationary_covariance(rule, 1 - h * law.gain, np.ones_like(h))
    steep = h**2 * np.einsum("i,dij,j->d", start, unit, start)
    rest = 1 - law.sway * steep
    if not (rest > 0).all():
        raise KavgError(
            "there is no stationary law: weights of those who take part vary too much for this "
            "gamma; use a smaller gamma, more of the learners, or scaling = 'normalised'"
        )
    q = law.noise / rest
    dispersion = (law.spread + law.drift * q * steep).sum()
    return Moments(np.zeros((len(h), 2)), q[:, None, None] * unit, np.asarray(dispersion))
