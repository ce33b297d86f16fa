"""What every contestant is told of a workload, in numbers rather than in values of kavg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from experiments.benchmarks.workloads import Workload
from kavg.base import Floats, Objective
from kavg.errors import KavgError
from kavg.objectives import Cosine, DoubleWell, Network
from kavg.oracles import Gaussian, MiniBatch
from kavg.outer import BlockMomentum


@final
@dataclass(frozen=True)
class Wave:
    """A gradient ``w + height f(omega w)`` coordinate by coordinate, f as all libraries call it."""

    height: float
    omega: float
    f: str


def wave(objective: Objective) -> Wave | None:
    """The gradient of an elementwise objective; None of any other.

    >>> wave(DoubleWell(dim=1)), wave(Cosine(dim=1))
    (Wave(height=-2.0, omega=2.0, f='tanh'), Wave(height=3.0, omega=3.0, f='sin'))
    """
    if isinstance(objective, DoubleWell):
        return Wave(-objective.a * objective.b, objective.b, "tanh")
    if isinstance(objective, Cosine) and objective.lam == 1:
        return Wave(objective.A * objective.omega, objective.omega, "sin")
    return None


def momentum(workload: Workload) -> float:
    """The mu of block momentum, the one outer rule that contestants know."""
    outer = workload.algorithm.outer
    if not isinstance(outer, BlockMomentum):
        raise KavgError(f"contestants know block momentum alone, not {outer!r}")
    return outer.mu


def deviation(workload: Workload) -> float:
    """The standard deviation of a coordinate's noise."""
    oracle = workload.problem.oracle
    assert isinstance(oracle, Gaussian)
    return float((oracle.sigma2 / (oracle.B * workload.d)) ** 0.5)


def batch(workload: Workload) -> int:
    """How many examples a batch has."""
    oracle = workload.problem.oracle
    assert isinstance(oracle, MiniBatch)
    return oracle.B


def one_hot(objective: Network) -> Floats:
    """``(n, C)``: a 1 in the column of each example's class."""
    labels = objective.split.train.labels
    return np.asarray(labels[:, None] == objective.classes, np.float64)


def split(workload: Workload, w: Floats) -> tuple[Floats, ...]:
    """Models ``w (R, d)`` as parameters, each ``(R, ...)``: one array, or the two layers."""
    objective = workload.problem.objective
    return layers(objective, w) if isinstance(objective, Network) else (w,)


def layers(objective: Network, w: Floats) -> tuple[Floats, ...]:
    """``W1 (R, p, H), b1 (R, H), W2 (R, H, C), b2 (R, C)``, in the order that ``w`` has them."""
    p, H = objective.split.train.features.shape[1], objective.hidden
    C = len(objective.classes)
    W1, b1, W2, b2 = np.split(w, np.cumsum([p * H, H, H * C]), axis=1)
    return W1.reshape(-1, p, H), b1, W2.reshape(-1, H, C), b2


def joined(parts: Sequence[NDArray[Any]]) -> Floats:
    """Parameters as models again, ``(R, d)`` in float64."""
    rows = [np.asarray(part, np.float64).reshape(len(part), -1) for part in parts]
    return np.concatenate(rows, axis=1)


def unknown(workload: Workload) -> KavgError:
    """What a contestant says of a workload that it has no program for."""
    problem = workload.problem
    return KavgError(f"no contestant knows {problem.objective!r} with {problem.oracle!r}")
