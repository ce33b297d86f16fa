"""An oracle that writes down what it was asked and what noise it gave."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from kavg.base import NoiseConstants, Objective, Oracle


@dataclass(eq=False)
class SpyOracle:
    """``steps[j]`` are the local steps of learner j in order, ``noise[j, step]`` is ``(R, d)``."""

    inner: Oracle
    steps: dict = field(default_factory=lambda: defaultdict(list))
    noise: dict = field(default_factory=dict)

    def constants(self, objective: Objective) -> NoiseConstants:
        return self.inner.constants(objective)

    def plan(self, objective, **sizes):
        return SpyGradient(self, objective, self.inner.plan(objective, **sizes))


class SpyGradient:
    def __init__(self, spy, objective, inner):
        self.spy, self.objective, self.inner = spy, objective, inner

    def select(self, learners):
        self.learners = learners
        self.inner.select(learners)

    def __call__(self, x, step, out):
        self.inner(x, step, out)
        exact = self.objective.grad(x, np.empty_like(x))
        for row, j in enumerate(self.learners):
            self.spy.steps[j].append(step)
            self.spy.noise[j, step] = out[row] - exact[row]
