"""Random nonconvex settings against every bound that applies to them (docs/theory.md, 6.2).

``python experiments/theory/monte_carlo.py [SETTINGS]`` prints the table; 4,000 settings by default.
Setting i is made from the address (SEED, i), whatever the number of settings.

F is a sum over coordinates of one of six functions each, turned by a random rotation; learners have
additive noise of four laws, noise that grows with the gradient, or differ by linear shifts.  The
step is a share of the largest that some bound allows, and every bound whose conditions then hold is
tested with 240 replicas: a violation is a mean that exceeds the bound by 4 standard errors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Final

import numpy as np

import kavg
from kavg import objectives, oracles
from kavg.analysis.applicability import NotApplicable, make_setting
from kavg.analysis.bounds import BOUNDS
from kavg.analysis.comparison import compare_with_bound
from kavg.base import Constant, Floats, Objective, Oracle
from kavg.objectives.rotation import haar_rotation

SEED = 20
REPLICAS = 240
ERRORS = 4.0
Random = np.random.Generator
Slope = Callable[[Floats], Floats]


def triangle(z: Floats) -> Floats:
    """The odd triangular wave of slope 1 and period 4."""
    return np.asarray(np.abs(np.remainder(z - 1.0, 4.0) - 2.0) - 1.0)


def parabolas(z: Floats) -> Floats:
    """Its integral, which is 0 at 0: parabolas up and down in turn."""
    t = np.remainder(np.abs(z), 4.0)
    t = np.minimum(t, 4.0 - t)
    return np.where(t <= 1.0, t * t / 2, 1.0 - (2.0 - t) ** 2 / 2)


FUNCTIONS: Final[Mapping[str, tuple[Slope, Slope]]] = {
    "cos": (lambda z: 1.0 - np.cos(z), np.sin),
    "triangular": (parabolas, triangle),
    "ratio": (lambda z: z * z / (1 + z * z) / 2, lambda z: z / (1 + z * z) ** 2),
    "log": (lambda z: np.log1p(z * z) / 2, lambda z: z / (1 + z * z)),
    "pseudo-Huber": (lambda z: np.sqrt(1 + z * z) - 1, lambda z: z / np.sqrt(1 + z * z)),
    "quadratic": (lambda z: z * z / 2, lambda z: z),
}
"""Value and derivative of functions with minimum 0 at 0 and curvature at most 1 in size."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """``F(w) = sum_i h_i s_i^2 f_i(z_i / s_i)``, ``z = Q^T w``: curvatures h, widths s, kinds f."""

    kinds: tuple[str, ...]
    h: Floats
    s: Floats
    seed: int

    @property
    def dim(self) -> int:
        """How many coordinates."""
        return len(self.kinds)

    @cached_property
    def Q(self) -> Floats:
        """The rotation."""
        return haar_rotation(self.dim, self.seed)

    @property
    def L(self) -> Constant:
        """``max h``: every function has curvature 1 at 0."""
        return Constant(float(self.h.max()), "exact", "the largest curvature, at 0")

    @property
    def f_star(self) -> Constant:
        """0, at 0."""
        return Constant(0.0, "exact", "a sum of functions that are 0 at 0")

    def value(self, x: Floats) -> Floats:
        """F at every row."""
        z = np.matvec(self.Q.T, x) / self.s
        total = np.zeros(z.shape[:-1])
        for i, kind in enumerate(self.kinds):
            total += self.h[i] * self.s[i] ** 2 * FUNCTIONS[kind][0](z[..., i])
        return total

    def grad(self, x: Floats, out: Floats) -> Floats:
        """The gradient at every row."""
        z = np.matvec(self.Q.T, x) / self.s
        for i, kind in enumerate(self.kinds):
            z[..., i] = self.h[i] * self.s[i] * FUNCTIONS[kind][1](z[..., i])
        return np.matvec(self.Q, z, out=out)


def some_objective(random: Random) -> tuple[str, Objective, Floats]:
    """A name, a function and a start."""
    d, choice = int(random.integers(1, 6)), random.random()
    if choice < 0.1:
        return "w^2 + 3 sin^2 w", objectives.SineBowl(dim=d), random.normal(size=d) * 2
    h = 10.0 ** random.uniform(-2, 0, d) * 10.0 ** random.uniform(-1, 1)
    if choice < 0.2:
        bowl = objectives.Quadratic(tuple(map(float, h)), rotation_seed=int(random.integers(99)))
        return "quadratic", bowl, random.normal(size=d)
    kinds = random.choice(list(FUNCTIONS), d)
    if choice < 0.8:
        kinds[:] = kinds[0]
    s = 10.0 ** random.uniform(-0.5, 0.5, d)
    name = str(kinds[0]) if len(set(kinds)) == 1 else "mixed"
    mixture = Mixture(tuple(map(str, kinds)), h, s, int(random.integers(99)))
    return name, mixture, mixture.Q @ (s * random.normal(size=d) * 10.0 ** random.uniform(-1, 0.7))


def some_oracle(random: Random, size: float, P: int) -> Oracle:
    """Noise whose variance is about ``size``."""
    B = int(random.integers(1, 4))
    additive = (
        oracles.Gaussian(size, B),
        oracles.Sphere(size, B),
        oracles.Rademacher(size, B),
        oracles.StudentT(size, float(random.uniform(2.5, 6)), B),
    )
    law, kind = additive[int(random.integers(4))], random.random()
    if kind < 0.2:
        return oracles.StateDependent(size, float(10.0 ** random.uniform(-1, 1)), B)
    if kind < 0.4 and P > 1:
        zeta2 = float(size * 10.0 ** random.uniform(-1, 2))
        return oracles.Shifted(zeta2, law, seed=int(random.integers(99)))
    return law


@dataclass(frozen=True)
class Trial:
    """One bound on one setting: measured over bound, its standard error, and what F was."""

    bound: str
    function: str
    ratio: float
    error: float

    @property
    def violated(self) -> bool:
        """Is the mean above the bound by more than chance explains?"""
        return self.ratio - ERRORS * self.error > 1 + 1e-9


def setting(i: int) -> tuple[str, kavg.Problem, kavg.Algorithm, int] | None:
    """Setting i: the function's name, problem, algorithm and rounds; None if no step is allowed."""
    random = np.random.Generator(np.random.Philox(key=[SEED, i]))
    name, objective, start = some_objective(random)
    P, K, N = (int(random.integers(1, top)) for top in (9, 13, 81))
    K = K if random.random() < 0.8 else 1
    N = N if random.random() < 0.8 else int(random.integers(1, 5))
    mu = float(random.choice([0.0, 0.0, 0.2, 0.5, 0.8, 0.9]))
    steepness = float(np.square(objective.grad(start, np.empty_like(start))).sum())
    oracle = some_oracle(random, (steepness + 1e-6) * float(10.0 ** random.uniform(-4, 2)), P)
    outer = kavg.outer.BlockMomentum(mu) if mu else kavg.outer.Averaging()
    problem = kavg.Problem(objective, oracle, tuple(map(float, start)))
    share = float(random.choice([1.0, 1.0, 0.9, 0.5, 0.1]))
    tentative = kavg.Algorithm(P, K, 1.0, outer)
    made = make_setting(
        objective, oracle.constants(objective), tentative, N, float(objective.value(start))
    )
    assert not isinstance(made, NotApplicable)
    steps = [bound.largest_gamma(made) for bound in BOUNDS if not bound.exclusion(made)]
    allowed = [step for step in steps if isfinite(step) and step > 0]
    if not allowed:
        return None
    gamma = share * float(random.choice(allowed))
    return name, problem, kavg.Algorithm(P, K, gamma, outer), N


def trials(i: int) -> Iterator[Trial]:
    """Every bound that applies to setting i."""
    made = setting(i)
    if made is None:
        return
    name, problem, algorithm, N = made
    run = kavg.simulate(problem, algorithm, rounds=N, replicas=REPLICAS, seed=i)
    for bound in BOUNDS:
        one = compare_with_bound(problem, algorithm, run, N, bound)
        if one.measurement is None:
            continue
        value, found = float(one.measurement.allowed.mean()), one.measurement.measured
        error = float(found.std(ddof=1)) / len(found) ** 0.5
        yield Trial(bound.name, name, float(found.mean()) / value, error / value)


def table(found: Iterable[Trial]) -> str:
    """By bound: tests, the largest ratio with its standard error and function, violations."""
    by_bound: dict[str, list[Trial]] = {bound.name: [] for bound in BOUNDS}
    for trial in found:
        by_bound[trial.bound].append(trial)
    lines = ["| bound | tests | max ratio | largest on each function | violations |"]
    lines.append("|---|--:|---|---|--:|")
    for name, them in by_bound.items():
        if not them:
            lines.append(f"| {name} | 0 | | | |")
            continue
        worst = max(them, key=lambda trial: trial.ratio)
        each: dict[str, float] = {}
        for trial in them:
            each[trial.function] = max(each.get(trial.function, 0.0), trial.ratio)
        listed = ", ".join(f"{kind} {ratio:.3f}" for kind, ratio in sorted(each.items()))
        bad = sum(trial.violated for trial in them)
        lines.append(
            f"| {name} | {len(them)} | {worst.ratio:.4f} +- {worst.error:.4f} | {listed} | {bad} |"
        )
    return "\n".join(lines)


def main(settings: int) -> None:
    """Run and print."""
    found = [trial for i in range(settings) for trial in trials(i)]
    print(f"{settings} settings, {len(found)} tests, {REPLICAS} replicas each, seed {SEED}\n")
    print(table(found))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
