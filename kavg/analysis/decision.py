"""Verdicts of the theorems on measured runs, at one level for the whole table.

For each algorithm and bound two one-sided hypotheses are tested on the replicas' own differences
``D_r = measured_r - allowed_r``, where the bound is linear in ``Delta`` and replica r is allowed
its own ``Delta_r``, so with a random start the sampling error of ``Delta`` is part of the test:

- "the mean is not below the bound", whose rejection makes HOLDS;
- "the mean is not above the bound", whose rejection makes VIOLATED.

The p-values are Student's, ``T = mean(D) / (s / sqrt(R))``; Holm's procedure over both hypotheses
of all pairs keeps the probability of one or more wrong rejections at ``level``.  Assumed:
independent replicas, and means of R differences close to normal.  Runs without noise are not
tested: every replica is compared, with a relative slack of 1e-9.  A run that diverged has an
infinite mean: by Markov's inequality a true bound b lets a replica exceed ``1e300`` with
probability ``b / 1e300``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, nan
from typing import Final

import numpy as np

from kavg.analysis.applicability import smoothness_bound
from kavg.analysis.bounds import BOUNDS
from kavg.analysis.bounds.bound import Bound
from kavg.analysis.comparison import Comparison, Measurement, compare_with_bounds
from kavg.analysis.estimate import Estimate, clip_interval, mean_interval
from kavg.analysis.fieller import ratio_interval
from kavg.analysis.holm import adjust_p_values
from kavg.analysis.student import one_sided_p_values
from kavg.analysis.verdict import Outcome, Verdict
from kavg.problem import Algorithm, Problem
from kavg.ranges import Level, check_range
from kavg.trajectory import Trajectory

_NOISELESS_SLACK: Final = 1e-9
"""Relative room for rounding in comparisons without noise."""


def check_bounds(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    runs: Sequence[Trajectory],
    *,
    rounds: int,
    level: float = 0.05,
    bounds: Sequence[Bound] = BOUNDS,
) -> tuple[Verdict, ...]:
    """Compare every algorithm's run of ``rounds`` rounds with every bound, and return verdicts.

    The verdicts come algorithm by algorithm, in the order of ``bounds``; with probability
    ``1 - level`` none of them is a wrong HOLDS or VIOLATED.

    Raises:
        KavgError: if the runs do not match the algorithms or ``level`` is not inside (0, 1).

    >>> from kavg import objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=1.0), 3.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging())
    >>> run = simulate(problem, method, rounds=50, replicas=20, seed=1)
    >>> str(check_bounds(problem, [method], [run], rounds=50)[0])
    'HOLDS'
    """
    return decide_verdicts(compare_with_bounds(problem, algorithms, runs, rounds, bounds), level)


def decide_verdicts(comparisons: Sequence[Comparison], level: float = 0.05) -> tuple[Verdict, ...]:
    """Return a verdict for each comparison, all at one overall ``level``.

    With probability ``1 - level`` no HOLDS and no VIOLATED is wrong.  Pairs that need no test (no
    noise, not applicable, diverged) do not count in Holm's procedure.

    Raises:
        KavgError: if ``level`` is not inside (0, 1).
    """
    level = check_range(Level, "level", level)
    pairs = [_one_sided_p_values(comparison) for comparison in comparisons]
    # One family for Holm: bounds of one run share its measured mean, so tests depend on each other.
    adjusted = iter(adjust_p_values([p for pair in pairs if pair for p in pair]))
    return tuple(
        _make_verdict(one, (float(next(adjusted)), float(next(adjusted))) if pair else None, level)
        for one, pair in zip(comparisons, pairs, strict=True)
    )


def _one_sided_p_values(comparison: Comparison) -> tuple[float, float] | None:
    found = comparison.measurement
    if found is None or comparison.exact or not np.isfinite(found.measured).all():
        return None
    return one_sided_p_values(found.measured - found.allowed)


def _make_verdict(one: Comparison, p: tuple[float, float] | None, level: float) -> Verdict:
    outcome, reason = _decide_outcome(one, p, level)
    found = one.measurement
    ratio = ratio_interval(found.measured, found.allowed, 1 - level) if found else None
    return Verdict(
        algorithm=one.algorithm,
        bound=one.bound,
        outcome=outcome,
        reason=reason,
        conditions=one.conditions,
        largest_gamma=one.largest_gamma,
        measured=_positive(mean_interval(found.measured, 1 - level)) if found else None,
        value=one.value,
        ratio=None if ratio is None else _positive(ratio),
        p=min(p) if p else nan,
        estimated=one.estimated,
    )


def _positive(estimate: Estimate) -> Estimate:
    # Squared norms and gaps are not negative, whatever the normal approximation allows.
    return clip_interval(estimate, 0.0, inf)


def _decide_outcome(
    one: Comparison, p: tuple[float, float] | None, level: float
) -> tuple[Outcome, str | None]:
    if one.measurement is None:
        return Outcome.NOT_APPLICABLE, one.reason
    outcome, reason = _decide_side(one, one.measurement, p, level)
    # A bound that is VIOLATED is never called VACUOUS: the violation is a finding either way.
    if outcome is not Outcome.VIOLATED and (why := _reason_vacuous(one)):
        return Outcome.VACUOUS, why
    return outcome, reason


def _decide_side(
    one: Comparison, found: Measurement, p: tuple[float, float] | None, level: float
) -> tuple[Outcome, str | None]:
    if not np.isfinite(found.measured).all():
        when = "overflowed" if one.diverged_at is None else f"diverged at round {one.diverged_at}"
        return Outcome.VIOLATED, f"{when}: the mean is infinite"
    if one.exact:
        # Nothing is random, so every replica must be below what its own start is allowed.
        below = bool((found.measured <= found.allowed * (1 + _NOISELESS_SLACK)).all())
        return (Outcome.HOLDS if below else Outcome.VIOLATED), "no noise: compared exactly"
    if p is None:
        # Equal replicas in spite of noise: their spread of 0 is an accident, not certainty.
        few = "one replica has" if len(found.measured) == 1 else "identical replicas have"
        return Outcome.INCONCLUSIVE, f"{few} no confidence interval"
    for side, outcome in zip(p, (Outcome.HOLDS, Outcome.VIOLATED), strict=True):
        if side <= level:
            return outcome, None
    return Outcome.INCONCLUSIVE, f"p = {min(p):.2g} over the whole table; more replicas decide"


def _reason_vacuous(one: Comparison) -> str | None:
    # Smoothness alone gives ||grad F(w_1)||^2 <= 2 L Delta before any step (docs/theory.md, 3.0).
    # While the optimization part of a bound exceeds that (or Delta, for the gap), the theorem has
    # not used the run yet: N is too short for its step.  A comparison with 2 L (F(w_n) - f_star) at
    # the measured iterates would call every true bound on (L/2)||w||^2 vacuous, sharp ones too,
    # and a theorem is a promise made before the run.
    if one.value is None or one.setting is None:
        return None
    alone = smoothness_bound(one.setting, one.bound.quantity)
    if one.value.optimization <= alone * (1 + _NOISELESS_SLACK) or not isfinite(alone):
        return None
    name = "Delta" if one.bound.quantity == "final_gap" else "2 L Delta"
    return f"its optimization part {one.value.optimization:.4g} > {name} = {alone:.4g}: N is short"
