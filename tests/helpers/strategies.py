"""Small problems and algorithms for Hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import kavg
from kavg.objectives.data import Data
from kavg.objectives.sine import POLYNOMIAL_DIM

SMALL = st.floats(0.125, 2.0)


@st.composite
def data_sets(draw) -> Data:
    n, p = 12, draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    labels = np.arange(n) % draw(st.integers(2, 3))
    return Data(generator.normal(size=(n, p)), labels)


@st.composite
def analytic(draw) -> kavg.Problem:
    dim = draw(st.one_of(st.integers(1, 7), st.just(POLYNOMIAL_DIM)))
    spectrum = tuple(np.linspace(0.1, 1.0, dim))
    objective = draw(
        st.sampled_from(
            [
                kavg.objectives.Cosine(dim=dim),
                kavg.objectives.DoubleWell(dim=dim),
                kavg.objectives.TriangularWave(dim=dim),
                kavg.objectives.Quadratic(spectrum, rotation_seed=3),
                kavg.objectives.Quadratic(spectrum),
            ]
        )
    )
    return kavg.Problem(objective, draw(additive_noise()), draw(starts(dim)))


def additive_noise() -> st.SearchStrategy:
    return st.one_of(
        st.just(kavg.oracles.Noiseless()),
        st.builds(kavg.oracles.Gaussian, sigma2=SMALL, B=st.integers(1, 3)),
        st.builds(kavg.oracles.Rademacher, sigma2=SMALL),
        st.builds(kavg.oracles.Sphere, sigma2=SMALL),
        st.builds(kavg.oracles.StudentT, sigma2=SMALL, nu=st.floats(2.1, 9.0)),
        st.builds(kavg.oracles.StateDependent, M=SMALL, M_v=SMALL),
    )


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
    mu = st.floats(0.0, 0.9)
    return st.one_of(
        st.just(kavg.outer.Averaging()),
        st.builds(kavg.outer.BlockMomentum, mu=mu),
        st.builds(kavg.outer.NesterovMomentum, mu=mu),
        st.builds(kavg.outer.SlowMo, mu=mu, alpha=st.floats(0.5, 1.5)),
    )


def step_sizes() -> st.SearchStrategy:
    gamma = st.floats(0.01, 0.2)
    return st.one_of(
        gamma,
        st.builds(kavg.schedules.InverseSqrt, gamma=gamma, rounds=st.integers(1, 3)),
        st.builds(kavg.schedules.Piecewise, st.tuples(gamma, gamma), st.just((1,))),
        st.builds(
            kavg.schedules.WarmUp,
            rounds=st.integers(1, 3),
            then=st.builds(kavg.schedules.Constant, gamma),
        ),
    )


LEARNERS = st.integers(1, 13)


def algorithms(P=LEARNERS) -> st.SearchStrategy:
    return st.builds(
        kavg.Algorithm, P=P, K=st.integers(1, 5), gamma=step_sizes(), outer=outer_rules()
    )
