"""An oracle of exact numbers: learner j's gradient is that of the objective plus ``b_j``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import kavg


@dataclass(frozen=True)
class OwnShifts:
    """No noise; ``b`` has one number a learner, which is added in every coordinate."""

    b: tuple[float, ...]

    def constants(self, objective):
        return kavg.oracles.Noiseless().constants(objective)

    def plan(self, objective, *, seed, P, R, tile, dtype="float64"):
        return ShiftedBy(objective, np.array(self.b, dtype))


class ShiftedBy:
    def __init__(self, objective, b):
        self.objective, self.b = objective, b

    def select(self, learners):
        self.own = self.b[learners.start : learners.stop, None, None]

    def __call__(self, x, step, out):
        self.objective.grad(x, out)
        np.add(out, self.own, out=out)


def bowl_of(b, start=0.0):
    """``f_j = x^2/2 + b_j x`` in one dimension."""
    return kavg.Problem(kavg.objectives.Quadratic((1.0,)), OwnShifts(tuple(b)), start)


def slope_of(slopes, start=0.0):
    """``f_j = slopes_j x`` in one dimension."""
    shifts = OwnShifts(tuple(slope - 1.0 for slope in slopes))
    return kavg.Problem(kavg.objectives.Linear(dim=1), shifts, start)
