"""A run beside a bound: what the theorem is told, and what was measured of its quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Final, final

import numpy as np

from kavg.analysis.bounds.bound import Bound, Quantity
from kavg.analysis.bounds.setting import Condition, Parts, Setting
from kavg.base import (
    Algorithm,
    Constant,
    Floats,
    KavgError,
    NoiseConstants,
    Objective,
    Outer,
    Problem,
    unknown,
)
from kavg.outer import KINDS, SlowMo
from kavg.trajectory import Trajectory

ROUNDING: Final = 1e-12
"""How far below ``f_star`` rounding may put F at a minimum, relative to its size."""


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """One bound and one run, replica by replica.

    ``reason`` says why the bound does not apply; it is empty where it does, and only then are
    ``measured (R,)`` and ``values (R,)`` there: what a replica gave and what the bound allows it,
    given where that replica started.  ``exact`` marks runs without noise.
    """

    algorithm: str
    bound: Bound
    reason: str = ""
    setting: Setting | None = None
    conditions: tuple[Condition, ...] = ()
    parts: Parts | None = None
    largest_gamma: float = nan
    measured: Floats | None = None
    values: Floats | None = None
    exact: bool = False
    diverged_at: int | None = None
    rests_on: tuple[str, ...] = ()


def comparisons(
    problem: Problem,
    algorithms: Sequence[Algorithm],
    runs: Sequence[Trajectory],
    N: int,
    bounds: Sequence[Bound],
) -> tuple[Comparison, ...]:
    """Every algorithm beside every bound, in that order; ``runs`` are theirs, of ``N`` rounds."""
    if len(algorithms) != len(runs):
        raise KavgError(f"needs a run for each algorithm, got {len(runs)} for {len(algorithms)}")
    pairs = list(zip(algorithms, runs, strict=True))
    return tuple(compare(problem, one, run, N, bound) for one, run in pairs for bound in bounds)


def compare(
    problem: Problem, algorithm: Algorithm, run: Trajectory, N: int, bound: Bound
) -> Comparison:
    """What a bound says of a run of ``N`` rounds, and what was measured."""
    objective = problem.objective
    noise = problem.oracle.constants(objective)
    name = algorithm.name or run.name
    gaps = gaps_at(run.series["F"][0], objective.f_star.value)
    told = setting_of(objective, noise, algorithm, N, float(np.mean(gaps)))
    if isinstance(told, str):
        return Comparison(name, bound, told)
    conditions, reason = applies(bound, algorithm, told, constants_of(objective, noise))
    known = Comparison(
        name,
        bound,
        reason,
        setting=told,
        conditions=conditions,
        parts=bound.value(told) if conditions or not reason else None,
        largest_gamma=bound.largest_gamma(told) if conditions or not reason else nan,
        exact=told.sigma2 == 0 and told.M_v == 0,
        diverged_at=run.diverged_at,
        rests_on=estimated(bound, constants_of(objective, noise)),
    )
    return known if reason else beside(known, measured(run, bound, N, objective.f_star.value), gaps)


def beside(known: Comparison, found: Floats | str, gaps: Floats) -> Comparison:
    """The same with the measured numbers, or with the reason why there are none.

    Every bound's optimization part is proportional to ``Delta``, so a replica that started at its
    own ``Delta_r`` is allowed that much of it, and the mean over replicas is the bound.
    """
    if isinstance(found, str):
        return replace(known, reason=found)
    parts, setting = known.parts, known.setting
    if parts is None or setting is None:
        return known
    share = gaps / setting.Delta if setting.Delta > 0 else np.zeros_like(gaps)
    values = parts.optimization * share + (parts.noise + parts.drift)
    return replace(known, measured=found, values=values)


def gaps_at(F: Floats, f_star: float) -> Floats:
    """``F - f_star``, where rounding at the minimum is no fault."""
    gaps = np.asarray(F - f_star)
    return np.where(np.abs(gaps) <= ROUNDING * np.maximum(np.abs(F), abs(f_star)), 0.0, gaps)


def setting_of(
    objective: Objective, noise: NoiseConstants, algorithm: Algorithm, N: int, Delta: float
) -> Setting | str:
    """The letters of the theorems for a run of ``N`` rounds, or why no theorem here is about it.

    Block momentum, averaging (``mu = 0``) and SlowMo with ``alpha = 1``, which is block momentum
    as long as gamma is constant; a constant gamma; ``Delta = F(w_1) - f_star``.  A ``pl`` above L
    is left out: one of the two is wrong, and the theorems without it can tell which.

    >>> from kavg import Algorithm, objectives, oracles, outer
    >>> bowl, noise = objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=2.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.NesterovMomentum(mu=0.5))
    >>> setting_of(bowl, noise.constants(bowl), method, N=9, Delta=1.0)
    'no theorem here is about the outer rule nesterov'
    """
    rule = rule_of(algorithm.outer)
    if rule not in ("averaging", "block_momentum", "slowmo"):
        return f"no theorem here is about the outer rule {rule}"
    if isinstance(algorithm.outer, SlowMo) and algorithm.outer.alpha != 1:
        return f"the theorems are about slowmo with alpha = 1, not {algorithm.outer.alpha:g}"
    gammas = {algorithm.step_size(n) for n in range(1, N + 1)}
    if len(gammas) > 1:
        return "gamma changes from round to round; the theorems are for a constant step"
    if Delta < 0:
        return f"F(w_1) - f_star = {Delta:.4g} is negative: f_star is wrong"
    pl = constants_of(objective, noise)["pl"].value
    return Setting(
        P=algorithm.P,
        K=algorithm.K,
        B=noise.B,
        N=N,
        gamma=gammas.pop(),
        mu=float(getattr(algorithm.outer, "mu", 0.0)),
        L=objective.L.value,
        Delta=Delta,
        sigma2=noise.M.value,
        M_v=noise.M_v.value,
        zeta2=noise.zeta2.value,
        pl=pl if 0 < pl <= objective.L.value else nan,
    )


def constants_of(objective: Objective, noise: NoiseConstants) -> Mapping[str, Constant]:
    """Every constant a theorem may rest on, by its letter."""
    pl: Constant = getattr(objective, "pl", unknown(""))
    return {
        "L": objective.L,
        "f_star": objective.f_star,
        "sigma2": noise.M,
        "M_v": noise.M_v,
        "zeta2": noise.zeta2,
        "pl": pl,
    }


def estimated(bound: Bound, constants: Mapping[str, Constant]) -> tuple[str, ...]:
    """The constants that are measurements, among those this bound rests on."""
    needed = (name for name in constants if name != "pl" or bound.quantity == "final_gap")
    return tuple(name for name in needed if constants[name].how == "estimated")


def rule_of(outer: Outer) -> str:
    """The name of an outer rule in a settings file, or that of its class."""
    names = {cls: kind for kind, cls in KINDS.items()}
    return names.get(type(outer), type(outer).__name__)


def applies(
    bound: Bound, algorithm: Algorithm, setting: Setting, constants: Mapping[str, Constant]
) -> tuple[tuple[Condition, ...], str]:
    """The conditions of a bound (none where it is about other things), and why it does not apply.

    ``mu = 0`` is averaging under whatever name.
    """
    rule = rule_of(algorithm.outer)
    if rule not in bound.outer_rules and not (setting.mu == 0 and "averaging" in bound.outer_rules):
        return (), f"it is about {' and '.join(bound.outer_rules)}, not {rule}"
    why = bound.scope(setting)
    if why:
        letter = why.split()[0]
        source = constants[letter].source if letter in constants else ""
        blank = letter in constants and constants[letter].how == "unknown" and source
        return (), f"{why} ({source})" if blank else why
    conditions = bound.conditions(setting)
    failed = [f"{c.name}: {c.left:.4g} > {c.right:.4g}" for c in conditions if not c.met]
    if failed:
        return conditions, f"{'; '.join(failed)}; {nearest(bound.largest_gamma(setting))}"
    return conditions, "" if isfinite(bound.value(setting).total) else "its value is not finite"


def smoothness_alone(setting: Setting, quantity: Quantity) -> float:
    """What is known of the quantity at the start, before any theorem: section 3.0.

    ``||grad F(w_1)||^2 <= 2 L Delta``, and the gap is ``Delta``.
    """
    return setting.Delta if quantity == "final_gap" else 2 * setting.L * setting.Delta


def nearest(gamma: float) -> str:
    """The nearest gamma that would do."""
    return f"gamma <= {gamma:.4g} meets it" if gamma > 0 else "no gamma meets it"


def measured(run: Trajectory, bound: Bound, N: int, f_star: float) -> Floats | str:
    """What a run of ``N`` rounds gave of the bound's quantity, ``(R,)``, or why it gives nothing.

    ``(1/N) sum_{n=1..N} ||grad F(w_n)||^2`` is the mean of the series at the rounds 0 to N-1: the
    start counts and the last iterate does not.  ``F(w_{N+1}) - f_star`` is that at round N.
    """
    if bound.quantity == "mean_grad_norm2_local" and run.K > 1:
        return (
            f"it bounds a mean over local steps; meta-iterates give it for K = 1, not K = {run.K}"
        )
    gap = bound.quantity == "final_gap"
    last = N if gap else N - 1
    if run.diverged_at is not None and run.diverged_at <= last:
        return np.full(run.replicas, np.inf)
    if gap:
        there = run.rounds[-1] == N
        return gaps_at(run.series["F"][-1], f_star) if there else f"needs round {N}"
    if not np.array_equal(run.rounds[:N], np.arange(N)):
        return "it needs the gradient at every round; set record.every = 1"
    return np.asarray(run.series["grad_norm2"][:N].mean(axis=0))
