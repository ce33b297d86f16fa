"""The gradient of an objective as a function of ``x`` and ``out``, planned where it can be."""

from __future__ import annotations

from typing import TypeGuard

from kavg.base import HasGradientPlan, Objective, PlannedGradient, Precision


def has_gradient_plan(objective: Objective) -> TypeGuard[HasGradientPlan]:
    """True if the objective can allocate the workspace of its gradient beforehand."""
    # isinstance with a Protocol would evaluate every property, L included.
    return callable(getattr(objective, "plan_gradient", None))


def choose_gradient(
    objective: Objective, *, tile: int, R: int, dtype: Precision
) -> PlannedGradient:
    """Return the planned gradient of an objective, or its ``grad`` if it has none.

    Either has the same bits.

    >>> import numpy as np
    >>> from kavg.objectives import Linear
    >>> gradient = choose_gradient(Linear(dim=2, slope=3.0), tile=4, R=1, dtype="float64")
    >>> gradient(np.zeros((4, 1, 2)), np.empty((4, 1, 2)))[0]
    array([[3., 3.]])
    """
    if has_gradient_plan(objective):
        return objective.plan_gradient(tile, R, dtype)
    return objective.grad
