"""The exact stationary means of what a run on a quadratic records: its noise floor."""

from __future__ import annotations

from typing import Final

import numpy as np

from kavg.analysis.exact.eigenbasis import EigenProblem, geometric_sum
from kavg.analysis.exact.linear_rules import LinearRule, linear_rule
from kavg.analysis.exact.methods import choose_moments
from kavg.analysis.exact.methods.linear_rounds import stationary_round
from kavg.analysis.exact.methods.optimizer_moments import iterate_optimizer_moments
from kavg.analysis.exact.methods.recursions import DESCRIPTIONS
from kavg.analysis.exact.methods.stationary_optimizers import stationary_optimizer_moments
from kavg.analysis.exact.moment_recursion import Moments, local_noise
from kavg.analysis.exact.problem_directions import to_eigenbasis
from kavg.analysis.exact.stationary import stationary_covariance
from kavg.analysis.exact.trajectory import check_exact_method
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem

PASSES: Final = 10_000
"""Passes after which noise that grows with the gradient is said to have no stationary law."""


def stationary_values(problem: Problem, algorithm: Algorithm) -> dict[str, float]:
    """Return the means that F, grad_norm2 and dispersion approach as rounds go on.

    Covered are the problems of ``exact_trajectory`` with a constant step size that have a
    stationary law, where all learners are averaged.  With additive noise it solves
    ``V = A V A^T + q g g^T`` in each direction (``stationary_covariance``); noise that grows with
    the gradient makes q depend on V, and the equation is iterated from V = 0, from where it
    increases to its solution.

    Raises:
        KavgError: if there are no exact moments, gamma is a schedule, or there is no stationary
            law.

    >>> from kavg import objectives, oracles, outer
    >>> bowl = Problem(objectives.Quadratic((1.0,)), oracles.Gaussian(sigma2=1.0), start=2.0)
    >>> method = Algorithm(P=2, K=1, gamma=0.5, outer=outer.Averaging())
    >>> round(stationary_values(bowl, method)["F"], 6)
    0.083333
    """
    recursion = choose_moments(algorithm)
    directions = to_eigenbasis(problem, algorithm.P)
    if callable(algorithm.gamma):
        raise KavgError("with a schedule of gamma there is no stationary law; use a number")
    if callable(algorithm.K):
        raise KavgError("with a K that changes there is no stationary law; use a number")
    if algorithm.restart is not None:
        raise KavgError(
            "with restarts of the outer memory there is no stationary law, as its variance goes up "
            "and down with their period; leave restart out"
        )
    if directions.classes is not None:
        raise KavgError(
            "the stationary law of learners that differ by curvature is not known here; use "
            "spread = 0, or follow the exact moments for many rounds"
        )
    if directions.slope.any():
        raise KavgError("a linear objective has no stationary law, as it has no minimum")
    if recursion in DESCRIPTIONS:
        describe = DESCRIPTIONS[recursion](directions, algorithm)
        law = describe(algorithm.constant_K, algorithm.gamma)
        still = stationary_round(directions, linear_rule(algorithm.outer, algorithm.gamma), law)
    elif recursion is iterate_optimizer_moments:
        still = stationary_optimizer_moments(directions, algorithm)
    else:
        check_exact_method(algorithm)
        still = _find_stationary_moments(directions, algorithm)
    return {
        "F": float(still.F(directions)),
        "grad_norm2": float(still.grad_norm2(directions)),
        "dispersion": float(still.dispersion),
    }


def _find_stationary_moments(problem: EigenProblem, algorithm: Algorithm) -> Moments:
    """The stationary moments of local steps of plain SGD."""
    gamma, K, P = algorithm.step_size(1), algorithm.constant_K, algorithm.P
    rule, r = linear_rule(algorithm.outer, gamma), 1 - gamma * problem.h
    own, unit = _solve_noise(problem, rule, algorithm)
    covariance = (own / P)[:, None, None] * unit
    shifts = (gamma * geometric_sum(r, K)) ** 2 * problem.zeta2
    dispersion = np.asarray((1 - 1 / P) * own.sum() + shifts.sum())
    return Moments(np.zeros((len(r), 2)), covariance, dispersion)


def _solve_noise(
    problem: EigenProblem, rule: LinearRule, algorithm: Algorithm
) -> tuple[Floats, Floats]:
    """The noise of one learner in a stationary round (d,), and V for q = 1 (d, 2, 2)."""
    gamma, K = float(algorithm.step_size(1)), algorithm.constant_K
    nothing = np.zeros_like(problem.h)
    unit = stationary_covariance(rule, (1 - gamma * problem.h) ** K, np.ones_like(problem.h))
    gain = np.einsum("i,dij,j->d", rule.start, unit, rule.start) / algorithm.P
    own = local_noise(problem, nothing, nothing, K, gamma)
    if not problem.has_state_noise:
        return own, unit
    for _ in range(PASSES):
        with np.errstate(over="ignore", invalid="ignore"):
            more = local_noise(problem, nothing, gain * own, K, gamma)
        if not np.isfinite(more).all():
            break
        if np.allclose(more, own, rtol=1e-14, atol=0.0):
            return more, unit
        own = more
    raise KavgError(
        "there is no stationary law: this noise grows with the gradient too fast for "
        f"gamma = {gamma:g}; use a smaller gamma or more learners"
    )
