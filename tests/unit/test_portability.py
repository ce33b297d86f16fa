"""Where parts of a run promise the same bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from helpers.constructors import arguments

from kavg import Algorithm, Problem, objectives, oracles, schedules, starts
from kavg.config.config import Config
from kavg.config.kinds import FAMILIES
from kavg.objectives.data import Synthetic
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.oracles.additive import AdditiveNoise
from kavg.outer import Averaging
from kavg.portability import find_same_bits

DATA = Synthetic("classification", examples=64, features=4)
KINDS = [(family, cls) for family, kinds in FAMILIES.items() for cls in kinds.values()]


class Part:
    """A part of a user, with or without a promise."""

    def __init__(self, *promise: object) -> None:
        if promise:
            self.same_bits = promise[0]


def test_the_weakest_part_decides():
    strong, weak = objectives.Cosine(dim=2), objectives.LogisticRegression(DATA)
    assert find_same_bits() == find_same_bits(strong, 0.1, 1, (1.0, 2.0)) == "any machine"
    assert find_same_bits(strong, weak) == find_same_bits(weak, 0.1) == "one kind of machine"
    assert find_same_bits(weak, Part(), strong) == "unknown"


@pytest.mark.parametrize("promise", ["everywhere", None, 3, [], {}, np.zeros(2), b"any machine"])
def test_a_promise_that_is_none_of_the_words_is_unknown(promise):
    assert find_same_bits(Part(promise)) == "unknown"
    assert find_same_bits(Part("any machine")) == "any machine"


@pytest.mark.parametrize(("family", "cls"), KINDS, ids=lambda part: getattr(part, "kind", part))
def test_every_kind_of_kavg_makes_a_promise(family, cls):
    rests_on_blas = issubclass(cls, EmpiricalRisk)
    expected = "one kind of machine" if rests_on_blas else "any machine"
    part = cls(**arguments(cls))
    assert find_same_bits(part) == expected


class Wrapped:
    """A part inside another object, which answers for it."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self.__dict__["inner"], name)


@pytest.mark.parametrize(("family", "cls"), KINDS, ids=lambda part: getattr(part, "kind", part))
def test_what_is_derived_or_wrapped_promises_only_what_it_states_itself(family, cls):
    settings = arguments(cls)
    assert find_same_bits(type("Mine", (cls,), {})(**settings)) == "unknown"
    assert find_same_bits(Wrapped(cls(**settings))) == "unknown"
    states = {"same_bits": "any machine"}
    assert find_same_bits(type("Mine", (cls,), states)(**settings)) == "any machine"
    stated = Wrapped(cls(**settings))
    stated.same_bits = "any machine"
    assert find_same_bits(stated) == "any machine"


class Slotted:
    """A wrapper whose ``__dict__`` is that of the object inside."""

    __slots__ = ("inner",)

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def test_a_wrapper_without_a_dict_does_not_promise_what_the_object_inside_does():
    part = Slotted(Part("any machine"))
    assert part.__dict__ == {"same_bits": "any machine"}
    assert find_same_bits(part) == "unknown"


def test_a_problem_and_an_algorithm_promise_what_their_parts_do():
    bowl, noise = objectives.Cosine(dim=2), oracles.Gaussian(sigma2=1.0)
    assert Problem(bowl, noise, starts.Normal()).same_bits == "any machine"
    assert Problem(bowl, oracles.Shifted(1.0, noise)).same_bits == "any machine"
    own = objectives.LogisticRegression(DATA)
    assert Problem(own, oracles.MiniBatch(B=2)).same_bits == "one kind of machine"
    assert Algorithm(2, 3, 0.1, Averaging()).same_bits == "any machine"
    assert Algorithm(2, 3, schedules.InverseSqrt(0.1), Averaging()).same_bits == "any machine"
    assert Algorithm(2, 3, lambda n: 0.1 / n, Averaging()).same_bits == "unknown"


@pytest.mark.parametrize(
    ("mean", "promise"),
    [
        ("exact", "any machine"),
        ("allreduce", "any machine with the same ranks and MPI"),
    ],
)
def test_a_plain_mean_needs_the_same_ranks_and_mpi(mean, promise):
    bowl, noise = objectives.Cosine(dim=2), oracles.Gaussian(sigma2=1.0)
    algorithm = Algorithm(2, 3, 0.1, Averaging(), name="a")
    config = Config(rounds=2, objective=bowl, oracle=noise, algorithms=(algorithm,), mean=mean)
    assert config.same_bits == promise
    own = replace(config, objective=objectives.LogisticRegression(DATA))
    assert own.same_bits == "one kind of machine"


def test_shifts_promise_what_their_noise_does():
    @dataclass(frozen=True)
    class Own(AdditiveNoise):
        sigma2: float = 1.0
        B: int = 1
        source: ClassVar[str] = "mine"

        def plan_draws(self, **sizes):
            raise NotImplementedError

    assert oracles.Shifted(1.0, Own()).same_bits == "unknown"
