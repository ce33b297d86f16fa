"""kavg itself, as its users run it, and what its laws cost."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from experiments.benchmarks.contestants.contestant import LeftOut
from experiments.benchmarks.workloads import Workload
from kavg.base import (
    Communicator,
    Floats,
    NoiseConstants,
    Objective,
    PlannedGradient,
    Precision,
    StochasticGradient,
)
from kavg.engine.options import MeanName
from kavg.engine.rounds import meta_iterations
from kavg.gradients import choose_gradient
from kavg.oracles import Gaussian


@final
class Ours:
    """Rounds of ``kavg.meta_iterations``."""

    def __init__(
        self,
        workload: Workload,
        *,
        mean: MeanName = "exact",
        comm: Communicator | None = None,
        seed: int = 1,
    ) -> None:
        options = {} if workload.dtype == "float64" else {"dtype": workload.dtype}
        self.rounds = meta_iterations(
            workload.problem,
            workload.algorithm,
            replicas=workload.R,
            seed=seed,
            comm=comm,
            mean=mean,
            **check(options),
        )
        self.last = next(self.rounds)

    def __call__(self, rounds: int) -> None:
        """Run so many more rounds."""
        for _ in range(rounds):
            self.last = next(self.rounds)

    def w(self) -> Floats:
        """The meta-iterate."""
        return self.last.w


def check(options: dict[str, str]) -> dict[str, Any]:
    """Leave kavg out where it does not know an option."""
    for name in options.keys() - inspect.signature(meta_iterations).parameters.keys():
        raise LeftOut(f"kavg has no {name}={options[name]!r}: not available")
    return options


def sequential(workload: Workload, *, seed: int = 1) -> Ours:
    """Kavg with noise from a sequential generator: what addressed draws cost, or save."""
    oracle = workload.problem.oracle
    assert isinstance(oracle, Gaussian)
    problem = replace(workload.problem, oracle=SequentialGaussian(oracle))
    return Ours(replace(workload, problem=problem), seed=seed)


@final
@dataclass(frozen=True)
class SequentialGaussian:
    """The law of ``Gaussian``, drawn in whatever order is asked: no rank or tile could repeat it.

    It is here to be timed.  NumPy's quickest: SFC64 and float32, added as it is.
    """

    addressed = False  # or a run would refuse it
    law: Gaussian

    def constants(self, objective: Objective) -> NoiseConstants:
        """Those of the law."""
        return self.law.constants(objective)

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StochasticGradient:
        """One buffer for a tile."""
        scale = (self.law.sigma2 / (self.law.B * objective.dim)) ** 0.5
        gradient = choose_gradient(objective, tile=tile, R=R, dtype=dtype)
        return SequentialGradient(gradient, seed, scale, (tile, R, objective.dim))


@final
class SequentialGradient:
    """The planned oracle."""

    def __init__(
        self, gradient: PlannedGradient, seed: int, scale: float, shape: tuple[int, int, int]
    ) -> None:
        self.gradient, self.scale = gradient, np.float32(scale)
        self.generator = np.random.Generator(np.random.SFC64(seed))
        self.values = np.empty(shape, np.float32)

    def select(self, learners: range) -> None:
        """All learners draw from one sequence."""

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """The gradient plus the next draws."""
        values = self.values[: len(x)]
        self.gradient(x, out)
        self.generator.standard_normal(dtype=np.float32, out=values)
        np.multiply(values, self.scale, out=values)
        np.add(out, values, out=out)
