"""Warnings about settings and runs, from numbers that kavg has anyway; one line each.

``list_setting_warnings`` is for the start of a run.  None of them ends a run or changes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from kavg.base import Objective
from kavg.objectives.data import DataReport
from kavg.objectives.data.preparation import UNLIKE
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.objectives.finite_sums.network import Network
from kavg.objectives.finite_sums.robust_regression import RobustRegression
from kavg.problem import Algorithm, Problem

LARGE_STEP: Final = 2.0
"""The product gamma L above which gradient descent diverges on a quadratic."""
MANY: Final = 5
"""Fewer examples a class than this are worth a warning."""
FAR: Final = 10.0
"""Targets beyond this many scales of a robust loss lie where it is flat, seen from w = 0."""
FEW_OPERATIONS: Final = 1e10
"""Multiplications that L may take for a warning alone."""


def describe_objective_data(objective: Objective) -> DataReport | None:
    """Return what an objective read and made of its data; None without data.

    >>> from kavg.objectives import Cosine
    >>> describe_objective_data(Cosine(dim=2))
    """
    return objective.split.report if isinstance(objective, EmpiricalRisk) else None


def list_setting_warnings(problem: Problem, algorithms: Sequence[Algorithm]) -> list[str]:
    """Return the warnings about the data of a problem, the step sizes on it, and the methods.

    >>> from kavg import objectives, oracles, outer
    >>> problem = Problem(objectives.Quadratic((1.0, 100.0)), oracles.Noiseless())
    >>> list_setting_warnings(problem, [Algorithm(2, 1, 0.1, outer.Averaging(), name="K-AVG")])
    ... # doctest: +ELLIPSIS
    ['K-AVG: gamma L is 10, above 2: steps as long as these grow where F curves by L (exact)...']
    """
    report = describe_objective_data(problem.objective)
    about_data = [] if report is None else [*_warn_of_data(report, problem.objective)]
    steps = _warn_of_steps(problem.objective, algorithms)
    return [*about_data, *_warn_of_start(problem), *steps, *_warn_of_aggregations(algorithms)]


def _warn_of_data(report: DataReport, objective: Objective) -> Iterator[str]:
    if report.scale_ratio > UNLIKE and not report.is_standardised:
        low, high = report.scales
        yield (
            f"{report.source}: features have scales from {low:.3g} to {high:.3g}, and one step "
            "size does not suit all; standardise = true makes them alike"
        )
    for column in report.counting:
        yield (
            f"{report.source}: the feature {column} counts the rows; if it is no measurement, "
            "leave it out, as in data = { kind = 'file', path = '...', ignore = ['id'] }"
        )
    if isinstance(objective, RobustRegression):
        yield from _warn_of_targets(report, objective)
    classes = len(report.labels)
    if isinstance(objective, Network) and classes * MANY > report.examples:
        yield (
            f"{report.source}: {classes} classes for {report.examples} examples; for targets of a "
            "regression use robust regression"
        )


def _warn_of_targets(report: DataReport, objective: RobustRegression) -> Iterator[str]:
    # The gradient of the loss at a residual r falls as (c/r)^3: it is gone, but not 0.
    size = math.sqrt((objective.split.train.labels**2).mean())
    if size > FAR * objective.scale:
        yield (
            f"{report.source}: targets are about {size:.2g}, and a loss of scale = "
            f"{objective.scale:g} is flat so far from them: a run may not move; scale = {size:.2g} "
            "is of their size"
        )


def _warn_of_start(problem: Problem) -> Iterator[str]:
    objective, start = problem.objective, problem.start
    if isinstance(objective, Network) and objective.hidden > 1 and isinstance(start, float):
        yield (
            f"start = {start:g} gives all {objective.hidden} hidden units the same weights, and "
            "they stay alike; start = { kind = 'normal', scale = 0.1 } parts them"
        )


def _warn_of_steps(objective: Objective, algorithms: Sequence[Algorithm]) -> Iterator[str]:
    L = objective.L if _is_cheap(objective) else None
    if L is None or not math.isfinite(L.value):
        return
    for algorithm in algorithms:
        product = algorithm.step_size(1) * L.value
        if product > LARGE_STEP:
            yield (
                f"{algorithm.name}: gamma L is {product:.3g}, above 2: steps as long as these grow "
                f"where F curves by L ({L.how}); gamma below {2 / L.value:.2g} is safe from it"
            )


def _warn_of_aggregations(algorithms: Sequence[Algorithm]) -> Iterator[str]:
    for algorithm in algorithms:
        # Few aggregations have any, so that the Protocol does not ask for it.
        list_warnings = getattr(algorithm.aggregation, "list_warnings", None)
        for text in list_warnings(algorithm) if callable(list_warnings) else ():
            yield f"{algorithm.name}: {text}"


def _is_cheap(objective: Objective) -> bool:
    """True if L takes a small part of a run's time; that of a network is a power iteration."""
    if not isinstance(objective, EmpiricalRisk):
        return True
    n, p = objective.split.train.features.shape
    return not isinstance(objective, Network) and n * p * p < FEW_OPERATIONS
