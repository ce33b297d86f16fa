"""The constants that theorems use, as claims.

What is tested at fixed instances in tests/contracts (pairs for L, points for f_star and pl, mean
and variance of every oracle) is tested here for parameters that Hypothesis chooses, and so are the
assumptions that only theorems make: learners are uncorrelated, noise is new given the past, and
learners differ by zeta2.
"""

from __future__ import annotations

import numpy as np
import pytest
from helpers.spy import SpyOracle
from helpers.strategies import analytic_kinds, finite_sums, is_smooth, small_objective
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import kavg
from kavg import objectives, oracles
from kavg.objectives.instances import small_settings

SIGMAS = 5.0
"""Width of every statistical interval, in standard errors: a false alarm in two million, seeded."""
SIZE = st.floats(0.1, 4.0)
DIM = st.integers(1, 4)


def spectra(low):
    values = st.lists(st.floats(low, 5.0).map(lambda h: round(h, 3)), min_size=1, max_size=4)
    seeds = st.none() | st.integers(0, 9)
    return st.builds(objectives.Quadratic, spectrum=values.map(tuple), rotation_seed=seeds)


def by_default(cls):
    """Small instances, in up to four dimensions where there is a choice."""
    small = small_settings(cls)
    drawn = {name: st.just(value) for name, value in small.items()}
    return st.builds(
        cls, **drawn | ({"dim": st.integers(small["dim"], 4)} if "dim" in small else {})
    )


ANALYTIC = {
    "quadratic": spectra(0.001),
    "quadratic, flat": spectra(0.0),
    "cosine": st.builds(objectives.Cosine, dim=DIM, lam=SIZE, A=SIZE, omega=SIZE),
    "cosine, no bowl": st.builds(objectives.Cosine, dim=DIM, lam=st.just(0.0), A=SIZE, omega=SIZE),
    "double well": st.builds(objectives.DoubleWell, dim=DIM, a=SIZE, b=SIZE),
    "triangular wave": st.builds(objectives.TriangularWave, dim=DIM, slope=SIZE, period=SIZE),
}
BY_HAND = {name.split(",")[0].replace(" ", "_") for name in ANALYTIC} | {"linear"}
ANALYTIC |= {
    kind: by_default(cls)
    for kind, cls in analytic_kinds().items()
    if kind not in BY_HAND and is_smooth(small_objective(cls))
}
EVERY = ANALYTIC | {
    "linear": st.builds(objectives.Linear, dim=DIM, slope=st.floats(-3, 3)),
    "quadratic, indefinite": spectra(-5.0),
    "finite sums": finite_sums().map(lambda problem: problem.objective),
}


def points(data, F, count):
    return data.draw(arrays(np.float64, (count, F.dim), elements=st.floats(-20, 20)))


def gradient(F, x):
    return F.grad(x, np.empty_like(x))


def test_every_kind_is_drawn_or_says_that_it_is_not_smooth():
    drawn = {name.split(",")[0].replace(" ", "_") for name in EVERY}
    others = {kind: cls for kind, cls in analytic_kinds().items() if kind not in drawn}
    assert not any(is_smooth(small_objective(cls)) for cls in others.values())
    assert {"rosenbrock", "himmelblau"} <= set(others)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=30)
@given(data=st.data())
def test_no_pair_is_steeper_than_L(name, data):
    """Near pairs, too: a step of 1e-3 in some direction sees the curvature at a point."""
    F = data.draw(EVERY[name])
    if F.L.how == "estimated":
        return
    a = points(data, F, 6)
    for b in (points(data, F, 6), a + 1e-3 * points(data, F, 6)):
        apart = np.linalg.norm(a - b, axis=-1)
        steep = np.linalg.norm(gradient(F, a) - gradient(F, b), axis=-1)
        rounding = 1e-12 * (1 + F.L.value) * (1 + np.abs(a).max() + np.abs(b).max())
        message = f"L must be at least {(steep / np.maximum(apart, 1e-300)).max()}, got {F.L.value}"
        assert np.all(steep <= F.L.value * apart * (1 + 1e-12) + rounding), message


@pytest.mark.parametrize("name", ANALYTIC)
@settings(max_examples=30)
@given(data=st.data())
def test_smoothness_bounds_gradient_and_value(name, data):
    """What proofs use: ``||grad F||^2 <= 2 L (F - f_star)`` and the parabola above F."""
    F = data.draw(ANALYTIC[name])
    a, b = points(data, F, 6), points(data, F, 6)
    g, gap = gradient(F, a), F.value(a) - F.f_star.value
    rounding = 1e-12 * (1 + F.L.value) * (1 + np.abs(a).max() + np.abs(b).max()) ** 2
    assert np.all(gap >= -rounding)
    assert np.all(np.vecdot(g, g) <= 2 * F.L.value * gap + rounding * (1 + F.L.value))
    above = F.value(a) + np.vecdot(g, b - a) + F.L.value / 2 * np.vecdot(b - a, b - a)
    assert np.all(F.value(b) <= above + 10 * rounding)


@settings(max_examples=30)
@given(problem=finite_sums(), data=st.data())
def test_f_star_of_data_is_a_lower_bound_that_smoothness_respects(problem, data):
    F = problem.objective
    x = points(data, F, 6)
    gap = F.value(x) - F.f_star.value
    assert np.all(gap >= 0)
    if F.L.how != "estimated":
        g = gradient(F, x)
        assert np.all(np.vecdot(g, g) <= 2 * F.L.value * gap * (1 + 1e-9))


@pytest.mark.parametrize("name", ["quadratic", "quadratic, flat", "sine_bowl"])
@settings(max_examples=30)
@given(data=st.data())
def test_no_point_is_flatter_than_pl(name, data):
    F = data.draw(ANALYTIC[name])
    if F.pl.how == "unknown":
        assert not np.any(F.eigenvalues > 0)
        return
    # Far points are steep: the valley that decides is near, along a coordinate or an eigenvector.
    axis = F.rotation[:, -1] if isinstance(F, objectives.Quadratic) else np.eye(F.dim)[0]
    x = np.concatenate([points(data, F, 8), np.linspace(-4, 4, 81)[:, None] * axis])
    g, gap = gradient(F, x), F.value(x) - F.f_star.value
    assert np.all(np.vecdot(g, g) * (1 + 1e-9) + 1e-12 >= 2 * F.pl.value * gap)
    assert F.pl.value <= F.L.value


# --- oracles

F = objectives.Cosine(dim=3)
SMALL = {
    kind: cls(**small_settings(cls))
    for kind, cls in oracles.KINDS.items()
    if kind != "random_design"  # of a quadratic alone: tests/unit/oracles/test_regression.py
}
NOISES = {kind: oracle for kind, oracle in SMALL.items() if oracle.constants(F).M.value > 0} | {
    "gaussian": oracles.Gaussian(sigma2=2.0, B=3),
    "rademacher": oracles.Rademacher(sigma2=2.0),
    "sphere": oracles.Sphere(sigma2=2.0, B=2),
    "student_t": oracles.StudentT(sigma2=2.0, nu=8.0),
    "state_dependent": oracles.StateDependent(M=1.0, M_v=2.0),
    "shifted": oracles.Shifted(zeta2=3.0, noise=oracles.Gaussian(sigma2=1.0), seed=2),
}


def within(samples, value):
    """Is the mean of ``samples`` within ``SIGMAS`` standard errors of ``value``?"""
    return abs(samples.mean() - value) <= SIGMAS * samples.std() / samples.size**0.5


@pytest.fixture(scope="module", params=NOISES)
def spied(request):
    """Noise and iterates of a run: ``noise (steps, P, R, d)``, with the oracle's constants."""
    P, K, rounds, R = 4, 3, 4, 3000
    spy = SpyOracle(NOISES[request.param])
    problem = kavg.Problem(F, spy, start=0.4)
    method = kavg.Algorithm(P, K, 0.05, kavg.outer.BlockMomentum(0.5))
    kavg.simulate(problem, method, rounds=rounds, replicas=R, seed=3)
    noise = np.array([[spy.noise[j, t] for j in range(P)] for t in range(K * rounds)])
    return noise, NOISES[request.param].constants(F)


def test_learners_are_uncorrelated(spied):
    """(A2): ``E <e_i, e_j> = 0``; shifts, which belong to the problem, are taken off."""
    noise, _ = spied
    noise = noise - noise.mean(axis=(0, 2), keepdims=True)
    for i in range(4):
        for j in range(i):
            assert within(np.vecdot(noise[:, i], noise[:, j]), 0.0)


def test_noise_is_new_given_the_past(spied):
    """(A2): ``E[e_t | past] = 0``, so no step's noise leans on that of the step before."""
    noise, constants = spied
    if constants.zeta2.value == 0:
        for coordinate in range(3):
            assert within(noise[..., coordinate], 0.0)
    noise = noise - noise.mean(axis=(0, 2), keepdims=True)
    for lag in (1, 3):
        assert within(np.vecdot(noise[lag:], noise[:-lag]), 0.0)
    past = np.cumsum(noise, axis=0)[:-1]
    assert within(np.vecdot(noise[1:], past), 0.0)


def test_the_variance_along_a_run_is_that_claimed(spied):
    noise, constants = spied
    noise = noise - noise.mean(axis=(0, 2), keepdims=True)
    squares, least = np.vecdot(noise, noise), constants.M.value / constants.B
    assert within(squares, least) == (constants.M_v.value == 0)
    assert squares.mean() > 0.99 * least


@pytest.mark.parametrize("B", [1, 4])
def test_M_and_M_v_are_intercept_and_slope(B):
    """The variance at points of ||grad||^2 from 0 to 30 is ``(M + M_v ||grad||^2)/B``, linear."""
    bowl, R = objectives.Quadratic((1.0,) * 3), 20_000
    oracle = oracles.StateDependent(M=2.0, M_v=0.5, B=B)
    constants = oracle.constants(bowl)
    gradient_of = oracle.plan(bowl, seed=1, P=1, R=R, tile=1)
    gradient_of.select(range(1))
    for step, steepness in enumerate((0.0, 1.0, 30.0)):
        x = np.full((1, R, 3), (steepness / 3) ** 0.5)
        out = np.empty_like(x)
        gradient_of(x, step, out)
        claimed = (constants.M.value + constants.M_v.value * steepness) / constants.B
        assert within(np.square(out - x).sum(axis=-1), claimed)


@given(st.integers(2, 9), st.floats(0, 9), DIM, st.integers(0, 9), st.floats(-5, 5))
def test_zeta2_is_how_learners_differ_at_every_point(P, zeta2, dim, seed, at):
    """``(1/P) sum_j ||grad f_j - grad F||^2 = zeta2`` through the oracle, and the mean is F's."""
    bowl = objectives.Cosine(dim=dim)
    oracle = oracles.Shifted(zeta2=zeta2, seed=seed)
    planned = oracle.plan(bowl, seed=1, P=P, R=1, tile=P)
    planned.select(range(P))
    x, out = np.full((P, 1, dim), at), np.empty((P, 1, dim))
    planned(x, 0, out)
    apart = out[:, 0] - gradient(bowl, x[0, 0])
    assert np.square(apart).sum() / P == pytest.approx(zeta2, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(apart.mean(axis=0), 0, atol=1e-12)
    assert oracle.constants(bowl).zeta2.value == zeta2


@pytest.mark.parametrize("name", NOISES)
def test_every_constant_that_is_known_is_exact_and_says_why(name):
    constants = NOISES[name].constants(F)
    for constant in (constants.M, constants.M_v, constants.zeta2):
        assert constant.how == "exact"
        assert constant.source
