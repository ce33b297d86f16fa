"""What each theorem says of a settings file before anything is run: ``kavg bounds``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from kavg.analysis.applicability import (
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
from kavg.analysis.bounds.setting import Setting
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.comparison import optimality_gaps
from kavg.base import Constant
from kavg.problem import Algorithm, Problem
from kavg.reports.text import printable, wrap
from kavg.reports.verdicts import WIDTH, parts_words

NOTE: Final = (
    "Bounds before any run. Delta = F(w_1) - f_star{random}. None of these is the theorem of Cong "
    "and Liu (2020), which could not be read; docs/theory.md has the proofs."
)
FACTORS: Final = (1, 2, 4)


def bounds_text(
    problem: Problem, algorithms: Sequence[Algorithm], *, rounds: int, replicas: int, seed: int
) -> str:
    """Every bound for every algorithm: conditions, value and parts, and what it would choose.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Quadratic(spectrum=(1.0,)), oracles.Gaussian(sigma2=1.0), 3.0)
    >>> method = Algorithm(P=4, K=2, gamma=0.1, outer=outer.Averaging(), name="K-AVG")
    >>> text = bounds_text(problem, [method], rounds=50, replicas=1, seed=1)
    >>> print(text.splitlines()[3])
    K-AVG
    """
    w = problem.first_iterate(seed, replicas)
    gaps = optimality_gaps(problem.objective.value(w), problem.objective.f_star.value)
    noise = problem.oracle.constants(problem.objective)
    constants = gather_constants(problem.objective, noise)
    random = f", the mean over {replicas} replicas" if float(np.ptp(gaps)) > 0 else ""
    lines = [*wrap(NOTE.format(random=random), WIDTH, "")]
    for algorithm in algorithms:
        lines += ["", *wrap(printable(algorithm.name), WIDTH, "")]
        told = make_setting(problem.objective, noise, algorithm, rounds, float(np.mean(gaps)))
        if isinstance(told, str):
            lines += wrap(told, WIDTH, "  ")
            continue
        lines += wrap(letters(told, constants), WIDTH, "  ")
        for bound in BOUNDS:
            lines += ["", *entry(bound, algorithm, told, constants)]
        lines += ["", *choices(told)]
    return "\n".join(lines)


def letters(s: Setting, constants: Mapping[str, Constant]) -> str:
    """The numbers that the theorems are told, and which of them are estimates."""
    names = ("P", "K", "B", "N", "gamma", "mu", "L", "Delta", "sigma2", "M_v", "zeta2", "pl")
    values = ((name, getattr(s, name)) for name in names)
    shown = (f"{name}={value:.6g}" for name, value in values if not math.isnan(value))
    guessed = [name for name, constant in constants.items() if constant.how == "estimated"]
    return ", ".join(shown) + (f"; estimated: {', '.join(guessed)}" if guessed else "")


def entry(
    bound: Bound, algorithm: Algorithm, s: Setting, constants: Mapping[str, Constant]
) -> Iterator[str]:
    """One bound: what it is, its conditions with both sides, its value and the largest step."""
    yield from wrap(f"{bound.name}: {bound.title} ({bound.status}; {bound.source})", WIDTH, "  ")
    conditions, reason = check_applicability(bound, algorithm, s, constants)
    if reason and not conditions:
        yield from wrap(f"does not apply: {reason}", WIDTH, "    ")
        return
    for condition in conditions:
        said = "met" if condition.met else "NOT met"
        yield from wrap(f"{said}  {condition}", WIDTH, "    ")
    met = all(condition.met for condition in conditions)
    words = "bound" if met else "value, which is no bound here:"
    guessed = estimated_constants(bound, constants)
    resting = f", with estimated {', '.join(guessed)}" if guessed else ""
    yield f"    {words} {parts_words(bound.value(s))} (start + noise + drift){resting}"
    yield f"    largest gamma {bound.largest_gamma(s):.4g}, here {s.gamma:.4g}"


def choices(s: Setting) -> Iterator[str]:
    """Corollaries C1 and C3 of Theorem 1, and how they move with P, K, B and N."""
    why = Theorem1().scope(s)
    yield from wrap("What Theorem 1 itself would choose (docs/theory.md, C1 and C3):", WIDTH, "  ")
    if why:
        yield from wrap(f"nothing: {why}", WIDTH, "    ")
        return
    mu = tuned_mu(s)
    step, value = tuned_gamma(s), tuned_bound(s)
    yield f"    at mu = {s.mu:.4g}: gamma = {step:.4g}, and the bound is {value:.4g}"
    if math.isnan(mu):
        yield f"    at gamma = {s.gamma:.4g}: (C1) allows no momentum, not even 0"
    else:
        value = Theorem1().value(s.at(mu=mu)).total
        yield f"    at gamma = {s.gamma:.4g}: mu = {mu:.4g}, and the bound is {value:.4g}"
    yield "    with one letter changed   best mu     bound there   tuned gamma   bound there"
    yield from map(trend, tuning_trends(s, FACTORS))


def trend(one: Tuning) -> str:
    """One line of the trends."""
    label = f"{one.letter} = {one.value}"
    numbers = (one.mu, one.bound, one.gamma, one.tuned)
    return f"      {label:22}" + "".join(f"  {_or_none(x):12}" for x in numbers).rstrip()


def _or_none(x: float) -> str:
    return "none" if math.isnan(x) else f"{x:.4g}"
