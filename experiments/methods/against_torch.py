"""kavg beside PyTorch's own numbers: the same methods, the same noise, 20 rounds.

``torch_methods.py`` made the numbers in ``torch_numbers.json``; no PyTorch is needed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from kavg import Algorithm, Problem, Round, meta_iterations, objectives, optimizers, outer, periods
from kavg.base import Floats, LocalOptimizer, NoiseConstants, Objective, Precision, unknown_constant
from kavg.methods import diloco

FILE: Final = Path(__file__).with_name("torch_numbers.json")
TOLERANCE: Final = 1e-12
"""Of the largest difference of a coordinate in any round; coordinates are about 1."""
STATES: Final = ("reset", "kept", "averaged")


@cache
def stored() -> Mapping[str, Any]:
    """Return what is in the file."""
    return json.loads(FILE.read_text())


@dataclass(frozen=True, eq=False)
class StoredNoise:
    """An oracle that adds stored numbers, ``values (steps, P, R, d)``."""

    values: Floats

    def constants(self, objective: Objective) -> NoiseConstants:
        """Return unknown constants: the numbers are of no law."""
        unknown = unknown_constant("stored numbers")
        return NoiseConstants(unknown, unknown, unknown)

    def plan(
        self,
        objective: Objective,
        *,
        seed: int,
        P: int,
        R: int,
        tile: int,
        dtype: Precision = "float64",
    ) -> StoredGradient:
        """Plan for the first ``R`` replicas."""
        return StoredGradient(objective, self.values[:, :, :R])


class StoredGradient:
    """The planned oracle."""

    def __init__(self, objective: Objective, values: Floats) -> None:
        self.objective, self.values = objective, values

    def select(self, learners: range) -> None:
        """Select the learners whose numbers are added."""
        self.learners = slice(learners.start, learners.stop)

    def __call__(self, x: Floats, step: int, out: Floats) -> None:
        """Write the gradient plus the numbers of a step."""
        self.objective.grad(x, out)
        out += self.values[step, self.learners]


def sizes() -> dict[str, Any]:
    """Return P, K and gamma of the file."""
    return {name: stored()[name] for name in ("P", "K", "gamma")}


def method(rule: Any = None, **parts: Any) -> Algorithm:
    """Return a method of P, K and gamma of the file; averaging of plain SGD where not told."""
    return Algorithm(**sizes() | {"outer": rule or outer.Averaging()} | parts)


ADAM: Final[Mapping[str, Any]] = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-6}
INSIDE: Final[Mapping[str, Callable[[Any], LocalOptimizer]]] = {
    "heavy ball": lambda state: optimizers.HeavyBall(0.7, state),
    "Nesterov inside": lambda state: optimizers.NesterovSteps(0.7, state),
    "Adam": lambda state: optimizers.Adam(**ADAM, at_average=state),
    "AdamW": lambda state: optimizers.AdamW(**ADAM, weight_decay=0.1, at_average=state),
}
"""Optimizers by their names in the file, for each treatment of their state."""


def methods() -> Mapping[str, Algorithm]:
    """Return the methods under the names that they have in the file."""
    kept = optimizers.HeavyBall(0.7, "kept", clip=1.5)
    decayed = optimizers.AdamW(**ADAM, weight_decay=0.1, at_average="kept", clip=1.5)
    return {
        **{
            f"{name}, {state}": method(optimizer=make(state))
            for name, make in INSIDE.items()
            for state in STATES
        },
        "averaging": method(),
        "averaging, alpha = 0.7": method(outer.Averaging(0.7)),
        "block momentum": method(outer.BlockMomentum(0.6)),
        "block momentum, alpha = 0.7": method(outer.BlockMomentum(0.6, 0.7)),
        "Nesterov outside": method(outer.NesterovLookAhead(0.6)),
        "Nesterov outside, alpha = 0.7": method(outer.NesterovLookAhead(0.6, 0.7)),
        "Adagrad outside": method(outer.FedAdagrad(alpha=0.3, tau=1e-3)),
        "clipped": method(optimizer=optimizers.SGD(clip=1.5)),
        "heavy ball, kept, clipped": method(optimizer=kept),
        "AdamW, kept, clipped": method(optimizer=decayed),
        "SGD with weight decay": method(optimizer=optimizers.SGD(weight_decay=0.1)),
        "DiLoCo": diloco(**sizes()),
        **further_methods(),
    }


def further_methods() -> Mapping[str, Algorithm]:
    """Return those in which several parts act together, restarts, and periods that change."""
    adam, batch = optimizers.Adam(**ADAM, at_average="kept"), optimizers.Accumulation()
    later = periods.PiecewisePeriod((1, sizes()["K"]), (8,))
    return {
        "Adam, kept, with weight decay": method(optimizer=replace(adam, weight_decay=0.1)),
        "Nesterov inside, kept, clipped, with decay": method(
            optimizer=optimizers.NesterovSteps(0.7, "kept", clip=1.5, weight_decay=0.1)
        ),
        "momentum inside and outside": method(
            outer.BlockMomentum(0.6, 0.7), optimizer=optimizers.HeavyBall(0.7, "averaged")
        ),
        "restarts": method(outer.BlockMomentum(0.6), restart=7),
        "DiLoCo, restarts": replace(diloco(**sizes()), restart=7),
        "post-local SGD": method(K=later),
        "post-local, Adam, kept": method(K=later, optimizer=adam),
        "mini-batch SGD": method(optimizer=batch),
        "mini-batch SGD, momentum": method(outer.BlockMomentum(0.6), optimizer=batch),
    }


def problem() -> Problem:
    """Return the problem of the file."""
    facts = stored()
    start = np.array(facts["start"])
    objective = objectives.Cosine(start.shape[1], **facts["cosine"])
    return Problem(objective, StoredNoise(np.array(facts["noise"])), Rows(start))


@dataclass(frozen=True, eq=False)
class Rows:
    """A start of its own for each replica."""

    points: Floats

    def draw(self, seed: int, R: int, dim: int) -> Floats:
        """Return the first ``R`` points."""
        return self.points[:R]


def path(algorithm: Algorithm) -> Floats:
    """Return the point where learners start after every round, (R, ROUNDS, d)."""
    theirs = np.array(next(iter(stored()["w"].values())))
    R, rounds, _ = theirs.shape
    found = meta_iterations(problem(), algorithm, replicas=R)
    return np.stack([start(algorithm, each) for each in islice(found, 1, rounds + 1)], axis=1)


def start(algorithm: Algorithm, done: Round) -> Floats:
    """Return where learners start after a round: w, but for a rule that keeps an anchor."""
    out = np.empty_like(done.w)
    algorithm.outer.start(done.w, done.v, out)
    return out


def difference(name: str, algorithm: Algorithm) -> float:
    """Return the largest difference of a coordinate in any round from PyTorch's."""
    return float(np.abs(path(algorithm) - np.array(stored()["w"][name])).max())


def main() -> int:
    """Print the differences; 1 if one is above the tolerance."""
    found = {name: difference(name, algorithm) for name, algorithm in methods().items()}
    rounds = len(next(iter(stored()["w"].values()))[0])
    print(f"| method | largest difference in {rounds} rounds from {stored()['made by']} |")
    print("|---|--:|")
    for name, largest in found.items():
        print(f"| {name} | {largest:.1g} |")
    return int(max(found.values()) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
