"""Bounds of a settings file before any run, in words: ``kavg bounds``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from kavg.analysis.applicability import (
    NotApplicable,
    check_applicability,
    estimated_constants,
    gather_constants,
    make_setting,
)
from kavg.analysis.bounds import BOUNDS
from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.corollaries import (
    Tuning,
    tuned_bound,
    tuned_gamma,
    tuned_mu,
    tuning_trends,
)
from kavg.analysis.bounds.setting import Condition, Setting
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.comparison import optimality_gaps
from kavg.base import Constant
from kavg.problem import Algorithm, Problem
from kavg.reports.text import align_columns, wrap_text
from kavg.reports.verdicts import WIDTH, format_parts
from kavg.text import escape_unprintable

NOTE: Final = (
    "Bounds before any run. Delta = F(w_1) - f_star{random}. None of these is the theorem of Cong "
    "and Liu (2020), which could not be read; docs/theory.md has the proofs."
)
FACTORS: Final = (1, 2, 4)
"""Multiples of P, K, B and N for which the best parameters of Theorem 1 are shown."""


def bounds_text(
    problem: Problem, algorithms: Sequence[Algorithm], *, rounds: int, replicas: int, seed: int
) -> str:
    """Return conditions and value of every bound for every algorithm, and the best parameters.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=1.0), 3.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging(), name="K-AVG")
    >>> text = bounds_text(problem, [method], rounds=50, replicas=1, seed=1)
    >>> print(text.splitlines()[3])
    K-AVG
    """
    # Random starts are those of the run itself, so Delta is the one that a check will use.
    w = problem.first_iterate(seed, replicas)
    gaps = optimality_gaps(problem.objective.value(w), problem.objective.f_star.value)
    noise = problem.noise
    constants = gather_constants(problem.objective, noise)
    random = f", the mean over {replicas} replicas" if float(np.ptp(gaps)) > 0 else ""
    lines = wrap_text(NOTE.format(random=random), WIDTH)
    for algorithm in algorithms:
        lines += ["", *wrap_text(escape_unprintable(algorithm.name), WIDTH)]
        setting = make_setting(problem.objective, noise, algorithm, rounds, float(np.mean(gaps)))
        if isinstance(setting, NotApplicable):
            lines += wrap_text(setting.reason, WIDTH, indent=2)
            continue
        lines += wrap_text(_format_setting(setting, constants), WIDTH, indent=2)
        lines += _describe_bounds(algorithm, setting, constants)
        lines += ["", *_describe_best_parameters(setting)]
    return "\n".join(lines)


def _format_setting(s: Setting, constants: Mapping[str, Constant]) -> str:
    names = ("P", "K", "B", "N", "gamma", "mu", "L", "Delta", "sigma2", "M_v", "zeta2", "pl")
    values = ((name, getattr(s, name)) for name in names)
    known = (f"{name}={value:.6g}" for name, value in values if not math.isnan(value))
    estimates = [name for name, constant in constants.items() if constant.how == "estimated"]
    return ", ".join(known) + (f"; estimated: {', '.join(estimates)}" if estimates else "")


def _describe_bounds(
    algorithm: Algorithm, s: Setting, constants: Mapping[str, Constant]
) -> Iterator[str]:
    # Last come the bounds that do not apply; several often lack the same constant, named once.
    inapplicable: dict[str, list[Bound]] = {}
    for bound in BOUNDS:
        found = check_applicability(bound, algorithm, s, constants)
        if found.reason is not None and not found.conditions:
            inapplicable.setdefault(found.reason, []).append(bound)
        else:
            estimates = estimated_constants(bound, constants)
            yield from ("", *_title_lines(bound))
            yield from _describe_bound(bound, found.conditions, s, estimates)
    for reason, bounds in inapplicable.items():
        yield from ("", *(line for bound in bounds for line in _title_lines(bound)))
        verb = "does" if len(bounds) == 1 else "do"
        yield from wrap_text(f"{verb} not apply: {reason}", WIDTH, indent=4)


def _title_lines(bound: Bound) -> list[str]:
    return wrap_text(f"{bound.name}: {bound.title} ({bound.status}; {bound.source})", WIDTH, 2)


def _describe_bound(
    bound: Bound, conditions: Sequence[Condition], s: Setting, estimates: Sequence[str]
) -> Iterator[str]:
    for condition in conditions:
        mark = "met" if condition.met else "NOT met"
        yield from wrap_text(f"{mark}  {condition}", WIDTH, indent=4)
    met = all(condition.met for condition in conditions)
    words = "bound" if met else "value, which is no bound here:"
    suffix = f", with estimated {', '.join(estimates)}" if estimates else ""
    yield f"    {words} {format_parts(bound.value(s))} (start + noise + drift){suffix}"
    yield f"    largest gamma {bound.largest_gamma(s):.4g}, here {s.gamma:.4g}"


def _describe_best_parameters(s: Setting) -> Iterator[str]:
    """Describe corollaries C1 and C3 of Theorem 1, and their trends in P, K, B and N."""
    why = Theorem1().exclusion(s)
    yield "  Step and momentum that minimise Theorem 1 (docs/theory.md, C1 and C3):"
    if why:
        yield from wrap_text(f"none: {why}", WIDTH, indent=4)
        return
    mu = tuned_mu(s)
    step, value = tuned_gamma(s), tuned_bound(s)
    yield f"    at mu = {s.mu:.4g}: gamma = {step:.4g}, and the bound is {value:.4g}"
    if math.isnan(mu):
        yield f"    at gamma = {s.gamma:.4g}: (C1) allows no momentum, not even 0"
    else:
        value = Theorem1().value(s.replace(mu=mu)).total
        yield f"    at gamma = {s.gamma:.4g}: mu = {mu:.4g}, and the bound is {value:.4g}"
    header = ("with one parameter changed", "best mu", "bound there", "tuned gamma", "bound there")
    yield from align_columns([header, *map(_trend_row, tuning_trends(s, FACTORS))], WIDTH, indent=4)


def _trend_row(one: Tuning) -> tuple[str, ...]:
    numbers = (one.mu, one.bound, one.gamma, one.tuned)
    return f"  {one.parameter} = {one.value}", *map(_format_or_none, numbers)


def _format_or_none(x: float) -> str:
    return "none" if math.isnan(x) else f"{x:.4g}"
