"""User code, right and wrong: a bowl, and runs of what a test changes about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import kavg
from kavg.base import Constant


class Bowl:
    """``F(w) = ||w||^2 / 2``, as a user writes it."""

    dim = 3
    L = Constant(1.0, "exact", "curvature 1")
    f_star = Constant(0.0, "exact", "F(0)")

    def value(self, x):
        return 0.5 * np.vecdot(x, x)

    def grad(self, x, out):
        out[...] = x
        return out


def changed(cls: type, **methods: Any) -> Any:
    """An instance of a class ``Mine`` like ``cls``, with other methods."""
    return type("Mine", (cls,), methods)()


@dataclass
class Rule:
    """Block momentum, as a user writes it."""

    mu: float = 0.5
    memory = True

    def start(self, w, v, out):
        out[...] = w

    def step(self, w, v, displacement, gamma):
        v[...] = self.mu * v + displacement
        w += v


def run(objective=None, oracle=None, outer=None, gamma=0.1, start=2.0, P=3, K=2, **settings):
    """Simulate four rounds of what is given, and of a bowl without noise for the rest."""
    problem = kavg.Problem(objective or Bowl(), oracle or kavg.oracles.Noiseless(), start)
    method = kavg.Algorithm(P, K, gamma, outer or kavg.outer.Averaging())
    return kavg.simulate(problem, method, **{"rounds": 4, "replicas": 2, "seed": 1} | settings)
