"""Large pools of replicas from kavg, of which a study draws small samples.

The mean of a pool stands for the truth: 4,000 replicas against samples of at most 64 move a
coverage of 95 % by less than a tenth of a per cent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

import kavg
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.analysis.targets import find_time
from kavg.targets import TargetRule

POOL = 4000
SEED = 20261127
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pool:
    """Two methods that share their noise: ``values (T, POOL)`` each, a target, the true times."""

    name: str
    slow: Floats
    fast: Floats
    target: float

    @property
    def axis(self) -> Floats:
        """The recorded rounds."""
        return np.arange(len(self.slow), dtype=np.float64)

    def true_time(self, values: Floats, rule: TargetRule = "isotonic") -> float:
        """When the mean of the pool reaches the target."""
        return find_time(self.axis, values.mean(axis=1), self.target, rule)


def methods(P: int, K: int, gamma: float, mu: float) -> tuple[kavg.Algorithm, kavg.Algorithm]:
    """K-AVG at ``gamma`` and M-AVG at the same effective step."""
    return (
        kavg.Algorithm(P, K, gamma, kavg.outer.Averaging()),
        kavg.Algorithm(P, K, gamma * (1 - mu), kavg.outer.BlockMomentum(mu)),
    )


def pool_of(
    name: str,
    problem: kavg.Problem,
    pair: tuple[kavg.Algorithm, kavg.Algorithm],
    rounds: int,
    target: float,
) -> Pool:
    """Simulate both methods with one seed."""
    slow, fast = (
        kavg.simulate(problem, one, rounds=rounds, replicas=POOL, seed=SEED).grad_norm2
        for one in pair
    )
    return Pool(name, slow, fast, target)


def valley() -> kavg.Problem:
    """A quadratic of condition number 30 whose learners are noisy."""
    spectrum = tuple(float(h) for h in np.geomspace(1 / 30, 1.0, 5))
    return kavg.Problem(kavg.objectives.Quadratic(spectrum), kavg.oracles.Gaussian(0.5), 2.0)


@cache
def steep() -> Pool:
    """A target far above the noise floor."""
    return pool_of("steep", valley(), methods(4, 4, 0.15, 0.5), 60, 0.05)


@cache
def floor() -> Pool:
    """A target 20 % above the larger of the two noise floors."""
    pair = methods(4, 4, 0.15, 0.5)
    level = max(float(exact_trajectory(valley(), one, 4000, 4000).grad_norm2[-1]) for one in pair)
    return pool_of("floor", valley(), pair, 120, 1.2 * level)


@cache
def overshoot() -> Pool:
    """A double well that all replicas swing through."""
    problem = kavg.Problem(kavg.objectives.DoubleWell(dim=2), kavg.oracles.Gaussian(0.05), 0.3)
    return pool_of("overshoot", problem, methods(4, 1, 0.05, 0.8), 150, 0.02)


@cache
def heavy() -> Pool:
    """Student's noise with 3 degrees of freedom, one learner."""
    problem = kavg.Problem(
        kavg.objectives.Quadratic((0.1, 0.3, 1.0)), kavg.oracles.StudentT(0.5, nu=3.0), 2.0
    )
    return pool_of("heavy", problem, methods(1, 4, 0.05, 0.5), 80, 0.1)


POOLS: tuple[Callable[[], Pool], ...] = (steep, floor, overshoot, heavy)
