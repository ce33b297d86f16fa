"""Plain NumPy, one learner after the other: what a student would write from the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.contestants.contestant import LeftOut
from experiments.benchmarks.contestants.workload_numbers import (
    Wave,
    batch,
    deviation,
    momentum,
    one_hot,
    unknown,
    wave,
)
from experiments.benchmarks.workloads import Workload
from kavg.base import Floats
from kavg.objectives import LogisticRegression, Network

STEPS: Final = 200_000
"""Local steps a round, each some microseconds of Python, beyond which nobody would wait."""

Array = NDArray[Any]
Gradient = Callable[[Array], Array]


@final
class Plain:
    """Three loops: rounds, learners, local steps.

    With additive noise a learner's replicas are the rows of one array, which is more than a
    student would do, unless they are kept ``apart``; with mini-batches, or apart, each replica is a
    run of its own.
    """

    def __init__(self, workload: Workload, *, apart: bool = False, seed: int = 1) -> None:
        self.P, self.K = workload.algorithm.P, workload.algorithm.constant_K
        self.gamma, self.mu = workload.algorithm.step_size(1), momentum(workload)
        w = workload.problem.first_iterate(seed, workload.R).astype(workload.dtype)
        self.runs = [w] if workload.additive and not apart else list(w)
        if len(self.runs) * self.P * self.K > STEPS:
            raise LeftOut(f"{len(self.runs) * self.P * self.K} steps one by one are too many")
        self.v = [np.zeros_like(run) for run in self.runs]
        self.g = gradient(workload, np.random.Generator(np.random.PCG64(seed)))

    def __call__(self, rounds: int) -> None:
        """Run so many more rounds of every run."""
        for _ in range(rounds):
            for w, v in zip(self.runs, self.v, strict=True):
                self.round(w, v)

    def round(self, w: Array, v: Array) -> None:
        """K steps of each learner, the mean, block momentum."""
        mean = np.zeros_like(w)
        for _ in range(self.P):
            x = w.copy()
            for _ in range(self.K):
                x -= self.gamma * self.g(x)
            mean += x / self.P
        v[...] = self.mu * v + (mean - w)
        w += v

    def w(self) -> Floats:
        """The meta-iterate."""
        runs = np.array(self.runs, np.float64)
        return runs.reshape(-1, runs.shape[-1])


def gradient(workload: Workload, rng: np.random.Generator) -> Gradient:
    """The stochastic gradient of a workload."""
    objective = workload.problem.objective
    elementwise = wave(objective)
    if elementwise:
        return of_wave(elementwise, deviation(workload), rng)
    if isinstance(objective, LogisticRegression):
        return logistic(objective, batch(workload), rng)
    if isinstance(objective, Network):
        return network(objective, batch(workload), rng)
    raise unknown(workload)


def of_wave(wave: Wave, scale: float, rng: np.random.Generator) -> Gradient:
    """``w + height f(omega w)`` plus normals."""
    height, omega, f = wave.height, wave.omega, getattr(np, wave.f)

    def g(x: Array) -> Array:
        e = rng.standard_normal(x.shape, dtype=x.dtype.type)
        return np.asarray(x + height * f(omega * x) + scale * e)

    return g


def logistic(objective: LogisticRegression, B: int, rng: np.random.Generator) -> Gradient:
    """``-(1/B) sum y a / (1 + exp(y a.x))`` over a batch."""
    features, y = objective.split.train.features, objective.split.train.labels

    def g(x: Array) -> Array:
        chosen = rng.integers(len(features), size=B)
        a, t = features[chosen], y[chosen]
        return np.asarray(-(t / (1 + np.exp(t * (a @ x)))) @ a / B)

    return g


def network(objective: Network, B: int, rng: np.random.Generator) -> Gradient:
    """Backpropagation through two layers on a batch."""
    features, targets = objective.split.train.features, one_hot(objective)
    p, H, C = features.shape[1], objective.hidden, targets.shape[1]
    i, j, k = p * H, p * H + H, p * H + H + H * C

    def g(x: Array) -> Array:
        W1, b1 = x[:i].reshape(p, H), x[i:j]
        W2, b2 = x[j:k].reshape(H, C), x[k:]
        chosen = rng.integers(len(features), size=B)
        a = features[chosen]
        h = np.tanh(a @ W1 + b1)
        s = h @ W2 + b2
        e = np.exp(s - s.max(axis=1, keepdims=True))
        slope = (e / e.sum(axis=1, keepdims=True) - targets[chosen]) / B
        back = (slope @ W2.T) * (1 - h**2)
        parts = (a.T @ back, back.sum(axis=0), h.T @ slope, slope.sum(axis=0))
        return np.concatenate([part.ravel() for part in parts])

    return g
