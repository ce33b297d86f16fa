"""What every run measures of ``w``: F, the gradient, and the objective's own measures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from kavg.base import Floats, HasMeasures, Measure, PlannedGradient
from kavg.elementary.sums import sum_squares
from kavg.engine.measures.names import merge_measures
from kavg.gradients import choose_gradient
from kavg.problem import Problem


def standard_measures(problem: Problem) -> dict[str, Measure]:
    """Return ``F``, ``grad_norm2`` and the objective's own measures, by name."""
    objective = problem.objective

    @cache
    def plan(R: int) -> PlannedGradient:
        return choose_gradient(objective, tile=1, R=R, dtype="float64")

    def grad_norm2(w: Floats) -> Floats:
        g = np.empty_like(w)
        plan(len(w))(w[None], g[None])
        return sum_squares(g)

    measures: dict[str, Measure] = {
        "F": _ignore_round(objective.value),
        "grad_norm2": _ignore_round(grad_norm2),
    }
    if isinstance(objective, HasMeasures):
        own = objective.measures
        merge_measures(measures, own, "objective.measures")
        measures |= {name: _ignore_round(measure) for name, measure in own.items()}
    return measures


def _ignore_round(measure: Callable[[Floats], Floats]) -> Measure:
    return lambda n, w: measure(w)  # noqa: ARG005 - a measure is called with n
