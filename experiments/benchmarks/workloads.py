"""What is timed: problems and algorithms of kavg, in groups that can be asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, final

from kavg.errors import KavgError
from kavg.objectives import Cosine, DoubleWell, LogisticRegression, Network
from kavg.objectives.data import Synthetic
from kavg.oracles import Gaussian, MiniBatch
from kavg.outer import BlockMomentum
from kavg.problem import Algorithm, Problem
from kavg.starts import Normal

GROUPS: Final = {
    "elementwise": "a wide elementwise gradient: tanh in float64 and float32, then a sine",
    "small": "few coordinates, many replicas",
    "one_replica": "a single small run",
    "logistic": "mini-batches of a logistic regression, one replica and sixteen",
    "digits": "the network of experiments/digits",
    "noise": "normals alone",
    "large": "a million coordinates",
    "scaling": "one size at a time: P, d and R",
    "methods": "local optimizers and aggregations beside plain SGD",
    "ranks": "two MPI ranks: rounds, and the average alone",
    "startup": "imports, and a run of almost nothing",
}
"""The groups of workloads and what is in them."""

ALONE: Final = ("elementwise", "small", "one_replica", "logistic", "digits", "large", "scaling")
"""Groups whose workloads are rounds in one process."""


@final
@dataclass(frozen=True)
class Workload:
    """Rounds of ``algorithm`` on ``problem``, ``replicas`` at once.

    ``ladder`` is the letter that varies where the workload is one of a series.

    >>> double_well("tiny", P=2, K=3, R=4, d=5).coordinates
    120
    """

    name: str
    problem: Problem
    algorithm: Algorithm
    R: int = 1
    dtype: str = "float64"
    ladder: str = ""

    @property
    def d(self) -> int:
        """The dimension."""
        return self.problem.objective.dim

    @property
    def coordinates(self) -> int:
        """How many coordinates a round steps: ``P K R d``."""
        return self.algorithm.P * self.algorithm.constant_K * self.R * self.d

    @property
    def sizes(self) -> dict[str, int]:
        """The letters and their values."""
        found = {"P": self.algorithm.P, "K": self.algorithm.constant_K, "R": self.R, "d": self.d}
        oracle = self.problem.oracle
        return found | ({"B": oracle.B} if isinstance(oracle, MiniBatch) else {})

    @property
    def small(self) -> bool:
        """Is a round so short that a call from Python counts?"""
        return self.coordinates < 10_000

    @property
    def additive(self) -> bool:
        """Is its noise added, one normal a coordinate?"""
        return isinstance(self.problem.oracle, Gaussian)


def double_well(
    name: str, *, P: int, K: int, R: int, d: int, dtype: str = "float64", ladder: str = ""
) -> Workload:
    """A double well, its tanh in the gradient, with a standard normal added to each coordinate."""
    problem = Problem(DoubleWell(d), Gaussian(sigma2=float(d)), start=0.5)
    return Workload(name, problem, momentum(P, K), R, dtype, ladder)


def ripples(name: str, *, P: int, K: int, R: int, d: int) -> Workload:
    """The same with ``Cosine``, whose gradient has a sine in place of the tanh."""
    problem = Problem(Cosine(d), Gaussian(sigma2=float(d)), start=0.5)
    return Workload(name, problem, momentum(P, K), R)


def logistic(name: str, *, P: int, K: int, R: int, d: int, B: int, examples: int) -> Workload:
    """Mini-batch logistic regression on synthetic examples."""
    data = Synthetic("classification", examples=examples, features=d)
    problem = Problem(LogisticRegression(data), MiniBatch(B))
    return Workload(name, problem, momentum(P, K), R)


def digits() -> Workload:
    """The network of experiments/digits/digits.toml."""
    objective = Network("digits", hidden=32, held_out=0.2)
    problem = Problem(objective, MiniBatch(32), start=Normal(scale=0.1))
    return Workload("network on the digits", problem, momentum(8, 8), 16)


def momentum(P: int, K: int) -> Algorithm:
    """Block momentum, as every contestant implements it."""
    return Algorithm(P, K, 0.05, BlockMomentum(mu=0.5))


def workloads(group: str, *, quick: bool = False) -> list[Workload]:
    """The workloads of one of the groups ``ALONE``.

    >>> [each.d for each in workloads("large")]
    [1000000]
    """
    if group == "elementwise":
        wide: dict[str, Any] = {"P": 64, "K": 16, "R": 1, "d": 1000}
        return [
            double_well("elementwise, float64", **wide),
            double_well("elementwise, float32", **wide, dtype="float32"),
            ripples("elementwise, a sine", **wide),
        ]
    if group == "small":
        return [double_well("small, many replicas", P=8, K=8, R=256, d=10)]
    if group == "one_replica":
        return [double_well("one small replica", P=8, K=8, R=1, d=10)]
    if group == "logistic":
        sizes = {"P": 16, "K": 8, "d": 100, "B": 32, "examples": 4096}
        return [logistic(f"mini-batch logistic, R = {R}", R=R, **sizes) for R in (1, 16)]
    if group == "digits":
        return [digits()]
    if group == "large":
        return [double_well("large d", P=4, K=8, R=1, d=10**5 if quick else 10**6)]
    return scaling(quick)


def scaling(quick: bool) -> list[Workload]:
    """Three series, each with one size that grows by tens (``quick``: two sizes)."""
    rungs: dict[str, tuple[dict[str, int], Sequence[int], Sequence[int]]] = {
        "P": ({"K": 8, "R": 1, "d": 10}, range(1, 7), (1, 3)),
        "d": ({"P": 4, "K": 8, "R": 1}, range(1, 7), (1, 4)),
        "R": ({"P": 8, "K": 8, "d": 10}, range(5), (0, 2)),
    }
    return [
        a_rung(letter, fixed | {letter: 10**power})
        for letter, (fixed, powers, few) in rungs.items()
        for power in (few if quick else powers)
    ]


def a_rung(letter: str, sizes: dict[str, int]) -> Workload:
    """One workload of a series."""
    P, K, R, d = (sizes[each] for each in "PKRd")
    return double_well(f"scaling in {letter}", P=P, K=K, R=R, d=d, ladder=letter)


def chosen(only: str | None) -> list[str]:
    """The groups of a list with commas; all of them if there is none.

    >>> chosen("noise, small")
    ['small', 'noise']
    """
    if only is None:
        return list(GROUPS)
    asked = {word.strip() for word in only.split(",")}
    for word in sorted(asked - set(GROUPS)):
        near = get_close_matches(word, GROUPS, 1)
        advice = f"use {near[0]!r}" if near else f"there are {', '.join(GROUPS)}"
        raise KavgError(f"there is no group of workloads {word!r}; {advice}")
    return [group for group in GROUPS if group in asked]
