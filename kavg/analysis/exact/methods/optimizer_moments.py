"""Exact moments where learners take linear steps with slots: heavy ball, Nesterov, weight decay.

In one eigendirection a learner's state is ``z = (x, m)``; a step is ``z <- M z + u (c + b_j + e)``
with ``M = T + h u e_x^T`` (``linear_steps``), c the slope, b_j of mean zero over learners, and e
noise of variance ``m_0``.  K steps take z_0 to ``M^K z_0 + S (c + b_j) + noise`` with
``S = sum_{t<K} M^t u``, and noise of covariance ``m_0 N``, ``N = sum_{t<K} (M^t u)(M^t u)^T``.

- All of it is linear, so the mean over learners obeys it with noise ``m_0 N / P`` and without b_j.
  With ``Y = (w, v, m)``, m the mean of the slots where they are kept or averaged, z_0 is ``B Y``
  and a round ``Y <- A Y + G S c + G noise`` with ``A = G M^K B + D``: the outer rule has the rows
  ``keep - push start^T`` of D and ``push`` of G, and the slots are those of z.  So w has the same
  law whether slots are kept or averaged (docs/theory.md, 4.9).
- A learner's slots differ from their mean by delta_j where they are kept, and by nothing else.
  With ``C`` and ``a`` the columns of ``M^K`` that belong to slots, in the rows of slots and of x,
  ``Cov delta <- C Cov delta C^T + (1 - 1/P) m_0 N_mm``, and its mean is ``kappa b_j`` with
  ``kappa <- C kappa + S_m``.
- The dispersion is the sum over directions of
  ``a Cov delta a^T + (1 - 1/P) m_0 N_xx + (a kappa + S_x)^2 zeta2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import final

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.linear_steps import LinearStep, linear_step
from kavg.analysis.exact.methods.limits import refuse_one_that_differs, require_additive_noise
from kavg.analysis.exact.moment_recursion import Moments, forget_memory, initial_moments
from kavg.base import AtAverage, Floats
from kavg.problem import Algorithm


@final
@dataclass(frozen=True, eq=False)
class SlottedRound:
    """A round in every direction: ``Y <- matrix Y + drift c``, and noise of ``m_0 noise``.

    ``matrix, noise (d, n, n)`` and ``drift (d, n)`` are of the method's state; ``power (d, k, k)``,
    ``response (d, k)`` and ``gathered (d, k, k)`` are M^K, S and N of one learner.
    """

    matrix: Floats
    drift: Floats
    noise: Floats
    power: Floats
    response: Floats
    gathered: Floats


@final
@dataclass(frozen=True, eq=False)
class SlotSpread:
    """How the learners' kept slots differ: ``covariance (d, s, s)`` and ``shift (d, s)``, kappa."""

    covariance: Floats
    shift: Floats


def slotted_round(
    h: Floats, rule: LinearRule, step: LinearStep, K: int, at_average: AtAverage
) -> SlottedRound:
    """Return a round of K steps and an outer rule, for eigenvalues ``h (d,)``.

    >>> from kavg.optimizers import HeavyBall
    >>> from kavg.outer import Averaging
    >>> rule, step = linear_rule(Averaging(), 0.25), linear_step(HeavyBall(beta=0.5), 0.25)
    >>> slotted_round(np.array([2.0]), rule, step, K=1, at_average="averaged").matrix[0]
    array([[ 0.5  ,  0.   , -0.125],
           [ 0.   ,  0.   ,  0.   ],
           [ 2.   ,  0.   ,  0.5  ]])
    """
    power, response, gathered = _take_steps(step.matrix(h), step.push, K)
    q, s = len(rule.start), len(step.push) - 1
    carried = 0 if at_average == "reset" else s
    begin, end = np.zeros((1 + s, q + carried)), np.zeros((q + carried, 1 + s))
    begin[0, :q], end[:q, 0] = rule.start, rule.push
    # The slots of z are those of Y, before and after; a reset begins with zeros.
    if carried:
        begin[1:, q:] = end[q:, 1:] = np.eye(s)
    aside = np.zeros((q + carried, q + carried))
    aside[:q, :q] = rule.keep - np.outer(rule.push, rule.start)
    with np.errstate(over="ignore", invalid="ignore"):
        return SlottedRound(
            matrix=aside + end @ power @ begin,
            drift=response @ end.T,
            noise=end @ gathered @ end.T,
            power=power,
            response=response,
            gathered=gathered,
        )


def plan_slotted_round(
    problem: EigenProblem, algorithm: Algorithm, gamma: float, K: int
) -> SlottedRound:
    """Return a round of an algorithm with step size ``gamma`` and K steps (``slotted_round``)."""
    optimizer = algorithm.optimizer
    rule, step = linear_rule(algorithm.outer, gamma), linear_step(optimizer, gamma)
    return slotted_round(problem.h, rule, step, K, optimizer.at_average)


def _take_steps(M: Floats, push: Floats, K: int) -> tuple[Floats, Floats, Floats]:
    """Return ``M^K``, S and N of K steps, one step after another."""
    # Step by step: N has no closed form where M has a double eigenvalue.
    power = np.broadcast_to(np.eye(len(push)), M.shape)
    moved = np.broadcast_to(push, M.shape[:-1])
    response, gathered = np.zeros_like(moved), np.zeros_like(power)
    # An unstable method overflows, as its run does; that is a result and not an error.
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(K):
            response = response + moved
            gathered = gathered + moved[..., :, None] * moved[..., None, :]
            power, moved = M @ power, np.matvec(M, moved)
    return power, response, gathered


def iterate_optimizer_moments(problem: EigenProblem, algorithm: Algorithm) -> Iterator[Moments]:
    """Yield the moments at the start, then after one round after another, without end.

    Raises:
        KavgError: if the optimizer is not linear, or noise grows with the gradient.

    >>> from kavg.analysis.exact import eigen_problem
    >>> from kavg.optimizers import HeavyBall
    >>> from kavg.outer import Averaging
    >>> method = Algorithm(2, 1, 0.5, Averaging(), optimizer=HeavyBall(beta=0.5, at_average="kept"))
    >>> rounds = iterate_optimizer_moments(eigen_problem([1.0], mean=8.0), method)
    >>> [float(next(rounds).w[0]) for _ in range(4)]
    [8.0, 4.0, 0.0, -2.0]
    """
    require_additive_noise(problem, f"local steps of {algorithm.optimizer}")
    refuse_one_that_differs(problem, algorithm)
    kept = algorithm.optimizer.at_average == "kept"
    # One round alone, as schedules may never repeat a step.
    plan = lru_cache(maxsize=1)(partial(plan_slotted_round, problem, algorithm))
    now: Moments | None = None
    spread = equal_slots(problem, int(algorithm.optimizer.slots))
    for n in count(1):
        one = plan(algorithm.step_size(n), algorithm.count_local_steps(n))
        # After the first round is planned, as only that tells the size of the state.
        now = now or initial_moments(problem, one.matrix.shape[-1])
        yield now
        if algorithm.is_restart(n):
            now = forget_memory(now)
        now = next_optimizer_moments(problem, one, now, spread, algorithm.P)
        if kept:
            spread = next_spread(problem, one, spread, algorithm.P)


def equal_slots(problem: EigenProblem, s: int) -> SlotSpread:
    """Return the spread of slots that are the same for all learners, as at the start."""
    d = len(problem.h)
    return SlotSpread(np.zeros((d, s, s)), np.zeros((d, s)))


def next_optimizer_moments(
    problem: EigenProblem, one: SlottedRound, now: Moments, spread: SlotSpread, P: int
) -> Moments:
    """Return the moments one round later, where the round begins with that spread of slots."""
    A, noise = one.matrix, (problem.m_0 / P)[:, None, None] * one.noise
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.matvec(A, now.mean) + one.drift * problem.slope[:, None]
        covariance = A @ now.covariance @ A.swapaxes(-1, -2) + noise
        dispersion = find_dispersion(problem, one, spread, P)
    return Moments(mean, covariance, np.asarray(dispersion))


def find_dispersion(problem: EigenProblem, one: SlottedRound, spread: SlotSpread, P: int) -> Floats:
    """Return the expected dispersion at the end of a round that begins with a spread of slots."""
    to_x = one.power[:, 0, 1:]
    carried = np.einsum("di,dij,dj->d", to_x, spread.covariance, to_x)
    own = (1 - 1 / P) * problem.m_0 * one.gathered[:, 0, 0]
    # Shifts are fixed, so their part is a square of the mean and not a variance.
    shift = (to_x * spread.shift).sum(axis=-1) + one.response[:, 0]
    return np.asarray((carried + own + shift**2 * problem.zeta2).sum())


def next_spread(problem: EigenProblem, one: SlottedRound, spread: SlotSpread, P: int) -> SlotSpread:
    """Return how the learners' kept slots differ after a round."""
    C, own = one.power[:, 1:, 1:], (1 - 1 / P) * problem.m_0
    with np.errstate(over="ignore", invalid="ignore"):
        covariance = C @ spread.covariance @ C.swapaxes(-1, -2)
        covariance = covariance + own[:, None, None] * one.gathered[:, 1:, 1:]
        return SlotSpread(covariance, np.matvec(C, spread.shift) + one.response[:, 1:])
