"""The gradient of an objective as a function of ``x`` and ``out``, planned where it can be."""

from __future__ import annotations

from typing import TypeGuard

from kavg.base import HasGradientPlan, Objective, PlannedGradient, Precision
from kavg.errors import KavgError
from kavg.protocols import has_own_plan


def has_gradient_plan(objective: Objective) -> TypeGuard[HasGradientPlan]:
    """True if the objective can allocate the workspace of its gradient beforehand.

    A plan counts if the class that defines it defines ``grad`` as well, or derives from the one
    that does: another is of another gradient, such as that of a base or of an object inside.

    >>> import numpy as np
    >>> from kavg.objectives import SineBowl
    >>> class Halved(SineBowl):
    ...     def grad(self, x, out):
    ...         return np.multiply(super().grad(x, out), 0.5, out=out)
    >>> has_gradient_plan(SineBowl(dim=2)), has_gradient_plan(Halved(dim=2))
    (True, False)
    """
    # isinstance with a Protocol would evaluate every property, L included.
    return has_own_plan(objective, "plan_gradient", of="grad")


def choose_gradient(
    objective: Objective, *, tile: int, R: int, dtype: Precision
) -> PlannedGradient:
    """Return the planned gradient of an objective, or its ``grad`` if it has none.

    Either has the same bits.  An error of the plan gets a note of what was planned; a plan that is
    no function raises ``KavgError``.

    >>> import numpy as np
    >>> from kavg.objectives import Linear
    >>> gradient = choose_gradient(Linear(dim=2, slope=3.0), tile=4, R=1, dtype="float64")
    >>> gradient(np.zeros((4, 1, 2)), np.empty((4, 1, 2)))[0]
    array([[3., 3.]])
    """
    if not has_gradient_plan(objective):
        return objective.grad
    name = f"{type(objective).__name__}.plan_gradient"
    try:
        gradient: object = objective.plan_gradient(tile, R, dtype)
    except Exception as error:
        if not isinstance(error, KavgError):
            error.add_note(f"kavg called it in {name}({tile}, {R}, {dtype!r})")
        raise
    if not callable(gradient):
        got = type(gradient).__name__
        raise KavgError(f"{name} must return a function of (x, out), got {got}")
    return gradient
