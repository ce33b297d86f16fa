"""Small problems and algorithms for Hypothesis."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import strategies as st

import kavg
from kavg.objectives.data import Data
from kavg.objectives.instances import small_settings
from kavg.objectives.sine import POLYNOMIAL_DIM

SMALL = st.floats(0.125, 2.0)


@st.composite
def data_sets(draw) -> Data:
    n, p = 12, draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    labels = np.arange(n) % draw(st.integers(2, 3))
    return Data(generator.normal(size=(n, p)), labels)


def objectives(dim: int) -> list:
    """Every smooth kind of that dimension, and a quadratic that is not diagonal."""
    spectrum = tuple(np.linspace(0.1, 1.0, dim))
    kinds = [cls for cls in kavg.objectives.KINDS.values() if "dim" in small_settings(cls)]
    return [cls(dim=dim) for cls in kinds] + [
        kavg.objectives.Quadratic(spectrum),
        kavg.objectives.Quadratic(spectrum, rotation_seed=3),
    ]


@st.composite
def analytic(draw) -> kavg.Problem:
    dim = draw(st.one_of(st.integers(1, 7), st.just(POLYNOMIAL_DIM)))
    objective = draw(st.sampled_from(objectives(dim)))
    return kavg.Problem(objective, draw(additive_noise()), draw(starts(dim)))


NUMBERS = {
    "sigma2": SMALL,
    "M": SMALL,
    "M_v": SMALL,
    "B": st.integers(1, 3),
    "nu": st.floats(2.1, 9.0),
    "mu": st.floats(0.0, 0.9),
    "alpha": st.floats(0.5, 1.5),
}
"""What is drawn for a parameter of that name; others keep their default, or a small value."""


def instances(cls: type) -> st.SearchStrategy:
    """Instances of an oracle or an outer rule."""
    drawn = {field.name: NUMBERS[field.name] for field in fields(cls) if field.name in NUMBERS}
    given = {name: st.just(value) for name, value in small_settings(cls).items()}
    return st.builds(cls, **given | drawn)


def additive_noise() -> st.SearchStrategy:
    """Every kind that needs no examples and no second oracle."""
    others = {kavg.oracles.MiniBatch, kavg.oracles.Shifted}
    return st.one_of(*(instances(cls) for cls in kavg.oracles.KINDS.values() if cls not in others))


def starts(dim: int) -> st.SearchStrategy:
    return st.one_of(
        st.floats(-2, 2),
        st.just(tuple(i % 7 for i in range(dim))),
        st.just(kavg.starts.Normal(scale=0.5)),
    )


@st.composite
def finite_sums(draw) -> kavg.Problem:
    data = draw(data_sets())
    two = Data(data.features, data.labels % 2)
    objective = draw(
        st.sampled_from(
            [
                kavg.objectives.LogisticRegression(two, alpha=0.1),
                kavg.objectives.RobustRegression(data),
                kavg.objectives.Network(data, hidden=3),
            ]
        )
    )
    sampling = draw(st.sampled_from(["with_replacement", "without_replacement", "reshuffle"]))
    oracle = kavg.oracles.MiniBatch(B=draw(st.integers(1, 3)), sampling=sampling)
    return kavg.Problem(objective, oracle, kavg.starts.Normal(scale=0.3))


def problems() -> st.SearchStrategy:
    return st.one_of(analytic(), analytic(), finite_sums())


def outer_rules() -> st.SearchStrategy:
    return st.one_of(*map(instances, kavg.outer.KINDS.values()))


def step_sizes() -> st.SearchStrategy:
    gamma = st.floats(0.01, 0.2)
    return st.one_of(
        gamma,
        st.builds(kavg.schedules.InverseSqrt, gamma=gamma, rounds=st.integers(1, 3)),
        st.builds(kavg.schedules.Piecewise, st.tuples(gamma, gamma), st.just((1,))),
        st.builds(
            kavg.schedules.WarmUp,
            rounds=st.integers(1, 3),
            then=st.builds(kavg.schedules.ConstantStep, gamma),
        ),
    )


LEARNERS = st.integers(1, 13)


OUTER = outer_rules()


def algorithms(P=LEARNERS, outer=OUTER) -> st.SearchStrategy:
    return st.builds(kavg.Algorithm, P=P, K=st.integers(1, 5), gamma=step_sizes(), outer=outer)
