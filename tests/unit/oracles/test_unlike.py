"""Learners whose functions differ: factors, fixed points, what is equal and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.same import same_bits

from kavg import Algorithm, Problem, outer, simulate
from kavg.analysis.exact.heterogeneous import fixed_point, optimum
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.objectives import Cosine, Linear, LogisticRegression, Quadratic
from kavg.optimizers import HeavyBall
from kavg.oracles import Gaussian, Scaled, Shifted, Sphere, UnlikeFunctions
from kavg.oracles.shifted import shifts
from kavg.oracles.unlike.pairs import pair_factors

BOWL = Quadratic((0.5, 1.0, 2.0))
PLAIN = outer.Averaging()


@pytest.mark.parametrize("P", range(2, 10))
def test_factors_have_mean_0_and_mean_square_1(P: int) -> None:
    _, s = pair_factors(P, range(P))
    assert s.sum() == 0
    assert np.square(s).mean() == pytest.approx(1.0, rel=1e-14)
    for first in range(P):
        pair, part = pair_factors(P, range(first, P))
        np.testing.assert_array_equal(part, s[first:])
        np.testing.assert_array_equal(pair, pair_factors(P, range(P))[0][first:])


@pytest.mark.parametrize("P", [2, 5, 6])
@pytest.mark.parametrize("rule", [PLAIN, outer.BlockMomentum(0.5), outer.NesterovMomentum(0.5)])
def test_rounds_settle_at_the_fixed_point_of_unlike_curvatures(P: int, rule: Any) -> None:
    """docs/theory.md, 4.7: the fixed point is not the minimum, and does not depend on mu."""
    oracle, K, gamma = Scaled(spread=0.6, zeta2=2.0, seed=3), 4, 0.2
    h = np.array(BOWL.spectrum) * (1 + 0.6 * pair_factors(P, range(P))[1])[:, None]
    c = -shifts(2.0, 3, P, 3, range(P)) / h
    method = Algorithm(P=P, K=K, gamma=gamma, outer=rule)
    done = simulate(Problem(BOWL, oracle, 1.0), method, rounds=600, every=600)
    expected = fixed_point(h, c, gamma, K)
    assert done.w[0] == pytest.approx(expected, rel=1e-10)
    assert optimum(h, c) == pytest.approx(0.0, abs=1e-14)
    assert np.abs(expected).min() > 1e-3


def test_with_one_step_a_round_learners_settle_at_the_minimum() -> None:
    problem = Problem(BOWL, Scaled(spread=0.6, zeta2=2.0), 1.0)
    method = Algorithm(P=5, K=1, gamma=0.2, outer=PLAIN)
    assert np.abs(simulate(problem, method, rounds=600, every=600).w).max() < 1e-14


def run(oracle: Any, objective: Any = BOWL, P: int = 5, **options: Any) -> Any:
    method = Algorithm(P=P, K=3, gamma=0.1, outer=outer.BlockMomentum(0.5))
    return simulate(
        Problem(objective, oracle, 1.0), method, **{"rounds": 3, "replicas": 2, "seed": 2} | options
    )


@pytest.mark.parametrize("noise", [Gaussian(sigma2=1.0), Sphere(sigma2=0.5, B=2)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_without_spread_it_is_shifted(noise: Any, dtype: str) -> None:
    scaled = run(Scaled(spread=0.0, zeta2=2.0, noise=noise, seed=4), dtype=dtype)
    assert same_bits(scaled, run(Shifted(zeta2=2.0, noise=noise, seed=4), dtype=dtype))
    assert not np.array_equal(scaled.w, run(Scaled(0.5, 2.0, noise, 4), dtype=dtype).w)


def test_a_function_that_is_constant_makes_no_difference() -> None:
    level = UnlikeFunctions(Linear(dim=3, slope=0.0), Gaussian(sigma2=1.0))
    assert same_bits(run(level), run(Gaussian(sigma2=1.0)))


def test_the_own_function_of_each_learner_by_hand() -> None:
    gradient = UnlikeFunctions(Quadratic((1.0, 2.0, 3.0))).plan(BOWL, seed=1, P=3, R=1, tile=3)
    x, out = np.ones((3, 1, 3)), np.empty((3, 1, 3))
    gradient.select(range(3))
    gradient(x, 0, out)
    s = np.sqrt(2) * np.array([1.0, -0.5, -0.5])[:, None]
    np.testing.assert_allclose(out[:, 0], np.array([0.5, 1.0, 2.0]) + s * [1.0, 2.0, 3.0])


def mean_gradient(oracle: Any, objective: Any, P: int) -> Floats:
    planned = oracle.plan(objective, seed=1, P=P, R=1, tile=P)
    x, out = np.broadcast_to(np.linspace(-1.0, 2.0, 3), (P, 1, 3)).copy(), np.empty((P, 1, 3))
    planned.select(range(P))
    planned(x, 0, out)
    return np.asarray(out.mean(axis=0)[0])


@pytest.mark.parametrize("P", [2, 3, 7, 8])
def test_F_is_the_mean_of_the_functions(P: int) -> None:
    cosine = Cosine(dim=3)
    expected = cosine.grad(np.linspace(-1.0, 2.0, 3), np.empty(3))
    for oracle in (Scaled(0.9, 3.0), UnlikeFunctions(Quadratic((1.0, 5.0, 0.1)))):
        np.testing.assert_allclose(mean_gradient(oracle, cosine, P), expected, rtol=1e-13)


def test_the_spread_that_theory_cannot_bound_is_unknown() -> None:
    assert Scaled(0.0, 2.0).constants(BOWL).zeta2.value == 2.0
    for oracle in (Scaled(0.5, 2.0), UnlikeFunctions(Cosine(dim=3))):
        assert oracle.constants(BOWL).zeta2.how == "unknown"


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: Scaled(spread=1.5), r"spread=1\.5"),
        (lambda: run(Scaled(0.5), P=1), r"P=1 and spread=0\.5; use P of at least 2 or spread=0"),
        (lambda: run(Scaled(0.0, 1.0), P=1), r"P=1 and zeta2=1\.0; use P of at least 2"),
        (
            lambda: run(UnlikeFunctions(Linear(dim=3)), P=1),
            "P=1 and a function; use P of at least 2",
        ),
        (
            lambda: run(UnlikeFunctions(Linear(dim=2))),
            "must have the dimension of the objective, got 2",
        ),
        (
            lambda: UnlikeFunctions(LogisticRegression("iris")),
            "without data, got LogisticRegression",
        ),
    ],
)
def test_what_contradicts_is_refused(attempt: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        attempt()


def test_one_learner_without_spread_is_fine() -> None:
    run(Scaled(spread=0.0, noise=Gaussian(sigma2=1.0)), P=1)


@pytest.mark.parametrize("P", [2, 3, 5, 6])
@pytest.mark.parametrize("rule", [PLAIN, outer.BlockMomentum(0.5), outer.SlowMo(0.5)])
def test_means_of_runs_approach_the_exact_moments(P: int, rule: Any) -> None:
    """Within 4.5 standard errors, for each of 5 rounds and 3 quantities: level 1e-4 a case."""
    oracle = Scaled(0.7, 2.0, Gaussian(sigma2=1.0, B=2), seed=3)
    problem = Problem(Quadratic((0.5, 1.0, 2.0), rotation_seed=1), oracle, 1.0)
    method = Algorithm(P=P, K=4, gamma=0.2, outer=rule)
    exact = exact_trajectory(problem, method, 5)
    done = simulate(problem, method, rounds=5, replicas=3000, seed=6)
    for quantity, values in exact.series.items():
        measured = done.series[quantity]
        error = measured.std(axis=1, ddof=1) / np.sqrt(measured.shape[1])
        assert np.all(np.abs(measured.mean(axis=1) - values) <= 4.5 * error + 1e-12), quantity


def test_exact_paths_without_noise_are_those_of_runs() -> None:
    for objective in (BOWL, Linear(dim=3, slope=0.5)):
        problem = Problem(objective, Scaled(0.7, 2.0, seed=3), 1.0)
        method = Algorithm(P=5, K=4, gamma=0.2, outer=outer.NesterovMomentum(0.5))
        exact, done = exact_trajectory(problem, method, 6), simulate(problem, method, rounds=6)
        for quantity, values in exact.series.items():
            np.testing.assert_allclose(done.series[quantity][:, 0], values, rtol=1e-10, atol=1e-14)


def test_without_spread_the_exact_moments_are_those_of_shifts() -> None:
    method = Algorithm(P=5, K=4, gamma=0.2, outer=PLAIN)
    pairs = [
        exact_trajectory(Problem(BOWL, oracle, 1.0), method, 3)
        for oracle in (Scaled(0.0, 2.0, seed=3), Shifted(2.0, seed=3))
    ]
    assert np.array_equal(pairs[0].F, pairs[1].F)


def test_exact_moments_of_other_methods_are_refused() -> None:
    problem = Problem(BOWL, Scaled(0.5, 2.0), 1.0)
    heavy = Algorithm(P=2, K=4, gamma=0.2, outer=PLAIN, optimizer=HeavyBall(0.5))
    with pytest.raises(KavgError, match="learners that differ by curvature are known for local"):
        exact_trajectory(problem, heavy, 3)
    own = Problem(BOWL, UnlikeFunctions(BOWL), 1.0)
    with pytest.raises(KavgError, match="learners with functions of their own are not known"):
        exact_trajectory(own, Algorithm(P=2, K=4, gamma=0.2, outer=PLAIN), 3)
    with pytest.raises(KavgError, match="the stationary law of learners that differ"):
        stationary_values(problem, Algorithm(P=2, K=4, gamma=0.2, outer=PLAIN))
