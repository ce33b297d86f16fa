"""Verdicts: a measured run held against the theorems, at a level kept over the whole table.

For each algorithm and bound two one-sided hypotheses are tested on the replicas' own differences
``D_r = measured_r - allowed_r``, where the bound is linear in ``Delta`` and replica r is allowed
its own ``Delta_r``, so that with a random start the sampling error of ``Delta`` is in the test:

- "the bound is not above the mean", whose rejection makes HOLDS;
- "the bound is not below the mean", whose rejection makes VIOLATED.

The p-values are Student's, ``T = mean(D) / (s / sqrt(R))``; Holm's rule over both hypotheses of
all pairs keeps the probability of one or more wrong rejections at ``level``.  Assumed: independent
replicas, and means of R differences close to normal.  Runs without noise are no tests: every
replica is compared, with a relative slack of 1e-9.  A run that diverged has an infinite mean: by
Markov's inequality a true bound b lets a replica exceed ``1e300`` with probability ``b / 1e300``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan, sqrt
from typing import Final

import numpy as np

from kavg.analysis.applicability import smoothness_bound
from kavg.analysis.bounds import BOUNDS
from kavg.analysis.bounds.bound import Bound
from kavg.analysis.comparison import Comparison, compare_with_bounds
from kavg.analysis.estimate import Estimate, mean_interval
from kavg.analysis.fieller import ratio_interval
from kavg.analysis.holm import adjust_p_values
from kavg.analysis.verdict import Outcome, Verdict
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.problem import Algorithm, Problem
from kavg.trajectory import Trajectory

SLACK: Final = 1e-9
"""Relative room for rounding where no noise decides."""


def check_bounds(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    runs: Sequence[Trajectory],
    *,
    rounds: int,
    level: float = 0.05,
    bounds: Sequence[Bound] = BOUNDS,
) -> tuple[Verdict, ...]:
    """Hold every algorithm's run of ``rounds`` rounds against every bound.

    >>> from kavg import objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=1.0), 3.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging())
    >>> run = simulate(problem, method, rounds=50, replicas=20, seed=1)
    >>> str(check_bounds(problem, [method], [run], rounds=50)[0])
    'HOLDS'
    """
    return decide_verdicts(compare_with_bounds(problem, algorithms, runs, rounds, bounds), level)


def decide_verdicts(compared: Sequence[Comparison], level: float = 0.05) -> tuple[Verdict, ...]:
    """Verdicts of which, with probability ``1 - level``, no HOLDS and no VIOLATED is wrong."""
    if not 0 < level < 1:
        raise KavgError(f"level must lie between 0 and 1, got {level=!r}; use 0.05 for 5 %")
    pairs = [_one_sided_p_values(one) for one in compared]
    adjusted = iter(adjust_p_values([p for pair in pairs if pair for p in pair]))
    return tuple(
        _make_verdict(one, (float(next(adjusted)), float(next(adjusted))) if pair else None, level)
        for one, pair in zip(compared, pairs, strict=True)
    )


def _one_sided_p_values(one: Comparison) -> tuple[float, float] | None:
    """Student's p-values of "not above" and "not below"; None where there is nothing to test."""
    if one.measured is None or one.values is None or one.exact:
        return None
    if not np.isfinite(one.measured).all():
        return None
    R, differences = len(one.measured), one.measured - one.values
    # Squares of a run that is about to diverge overflow.
    differences = differences / (float(np.abs(differences).max()) or 1.0)
    error = float(differences.std(ddof=1)) / sqrt(R) if R > 1 else 0.0
    if error == 0:
        return None
    from scipy.special import stdtr

    t = float(differences.mean()) / error
    return float(stdtr(R - 1, t)), float(stdtr(R - 1, -t))


def _make_verdict(one: Comparison, p: tuple[float, float] | None, level: float) -> Verdict:
    """The outcome of a comparison whose adjusted p-values are ``p``."""
    outcome, reason = _decide_outcome(one, p, level)
    return Verdict(
        algorithm=one.algorithm,
        bound=one.bound,
        outcome=outcome,
        reason=reason,
        conditions=one.conditions,
        largest_gamma=one.largest_gamma,
        measured=None if one.measured is None else mean_interval(one.measured, 1 - level),
        value=one.parts,
        ratio=_measured_over_bound(one, 1 - level),
        p=min(p) if p else nan,
        rests_on=one.rests_on,
    )


def _measured_over_bound(one: Comparison, level: float) -> Estimate | None:
    """Measured over bound."""
    if one.measured is None or one.values is None:
        return None
    return ratio_interval(one.measured, one.values, level)


def _decide_outcome(
    one: Comparison, p: tuple[float, float] | None, level: float
) -> tuple[Outcome, str]:
    """What is said, and why; a violated bound is violated even where it says little."""
    if one.measured is None or one.values is None or one.reason:
        return Outcome.NOT_APPLICABLE, one.reason
    side, why = _decide_side(one.measured, one.values, one, p, level)
    little = _reason_vacuous(one)
    if little and side is not Outcome.VIOLATED:
        return Outcome.VACUOUS, little
    return side, why


def _decide_side(
    measured: Floats,
    values: Floats,
    one: Comparison,
    p: tuple[float, float] | None,
    level: float,
) -> tuple[Outcome, str]:
    """On which side of the bound the measured mean lies."""
    if not np.isfinite(measured).all():
        when = "overflowed" if one.diverged_at is None else f"diverged at round {one.diverged_at}"
        return Outcome.VIOLATED, f"{when}: the mean is infinite"
    if one.exact:
        held = bool((measured <= values * (1 + SLACK)).all())
        return (Outcome.HOLDS if held else Outcome.VIOLATED), "no noise: compared exactly"
    if p is None:
        few = "one replica gives" if len(measured) == 1 else "replicas that are all alike give"
        return Outcome.INCONCLUSIVE, f"{few} no limits"
    for side, outcome in zip(p, (Outcome.HOLDS, Outcome.VIOLATED), strict=True):
        if side <= level:
            return outcome, ""
    return Outcome.INCONCLUSIVE, f"p = {min(p):.2g} over the whole table; more replicas decide"


def _reason_vacuous(one: Comparison) -> str:
    """Why the bound says nothing, or nothing.

    Smoothness alone gives ``||grad F(w_1)||^2 <= 2 L Delta`` (docs/theory.md, section 3.0), before
    any step.  The optimization part of a bound on gradients is what is left of the start after N
    rounds; while it exceeds ``2 L Delta``, or that of a bound on the gap exceeds ``Delta``, the
    theorem has not yet used the run: N is too short for its step.  The comparison is with the start
    and not with ``2 L (F(w_n) - f_star)`` at the measured iterates: the two sides of that are equal
    on ``(L/2)||w||^2``, so that every true bound would count as vacuous there, and a theorem is
    a promise made before the run.
    """
    if one.parts is None or one.setting is None:
        return ""
    alone = smoothness_bound(one.setting, one.bound.quantity)
    if one.parts.optimization <= alone * (1 + SLACK) or not isfinite(alone):
        return ""
    what = "Delta" if one.bound.quantity == "final_gap" else "2 L Delta"
    return f"its optimization part {one.parts.optimization:.4g} > {what} = {alone:.4g}: N is short"
