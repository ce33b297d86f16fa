"""Measures of rounds show their exact means: to round-off without noise, within limits with it."""

from statistics import NormalDist

import numpy as np
import pytest

from kavg import Algorithm, Problem, aggregations, measures, optimizers, schedules, simulate
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.objectives import Linear, Quadratic
from kavg.oracles import Gaussian, Noiseless, Shifted, StateDependent
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.starts import Normal

BOWL = Quadratic((0.5, 1.0, 3.0), rotation_seed=1)
RULES = (Averaging(0.8), BlockMomentum(0.6), NesterovMomentum(0.5), SlowMo(mu=0.4, alpha=0.7))
MEASURES = (
    measures.Alignment(),
    measures.Consensus(),
    measures.Distance(point=0.25),
    measures.EffectiveStep(),
    measures.Sharpness(tolerance=1e-8),
    measures.Spread(directions=(0, 2)),
    measures.Spread(vector=(1.0, -1.0, 0.5)),
)
EXACT = {
    "displacement_norm2", "lag_product", "move_product", "consensus2", "distance2",
    "effective_step", "sharpness", "spread_0", "spread_2", "spread",
}  # fmt: skip


def method(rule, **parts):
    return Algorithm(**{"P": 4, "K": 3, "gamma": 0.1, "outer": rule} | parts)


PARTS = ({}, {"gamma": schedules.Piecewise((0.2, 0.05), (3,))}, {"restart": 2})


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_without_noise_a_run_has_the_exact_values(rule, parts):
    if not rule.memory:
        parts = {key: value for key, value in parts.items() if key != "restart"}
    problem, algorithm = Problem(BOWL, Noiseless(), (1.0, -2.0, 0.5)), method(rule, **parts)
    exact = exact_trajectory(problem, algorithm, 6, measures=MEASURES)
    found = simulate(problem, algorithm, rounds=6, record=MEASURES)
    assert set(exact.measured) == EXACT
    for name, values in exact.measured.items():
        np.testing.assert_allclose(
            found.series[name][:, 0], values, rtol=1e-6, atol=1e-12, err_msg=name
        )


def test_learners_that_differ_spread_by_their_shifts():
    problem = Problem(Quadratic((0.5, 2.0)), Shifted(zeta2=3.0), 1.0)
    wanted = [measures.Spread(directions=(0, 1)), measures.Spread(vector=(1.0, 2.0))]
    exact = exact_trajectory(problem, method(Averaging()), 3, measures=wanted)
    found = simulate(problem, method(Averaging()), rounds=3, record=wanted)
    # Shifts of a learner in two directions are not uncorrelated, so a vector has no exact value.
    assert set(exact.measured) == {"spread_0", "spread_1"}
    for name, values in exact.measured.items():
        np.testing.assert_allclose(found.series[name][:, 0], values, rtol=1e-9)


NOISY = [
    (Gaussian(sigma2=2.0), Normal(scale=0.5, mean=1.0)),
    (StateDependent(M=1.0, M_v=0.8), 1.5),
    (Shifted(zeta2=1.0, noise=Gaussian(sigma2=1.0)), 1.0),
]
LEVEL = 1e-5
"""Of each quantity and round; some 700 are compared, with fixed seeds."""


@pytest.mark.parametrize(("oracle", "start"), NOISY, ids=["Gaussian", "state", "shifted"])
@pytest.mark.parametrize("restart", [None, 2])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_means_over_replicas_are_within_their_limits(oracle, start, rule, restart):
    problem, R = Problem(BOWL, oracle, start), 4000
    algorithm = method(rule, restart=restart if rule.memory else None)
    names = ("displacement_norm2", "lag_product", "move_product")
    wanted = [measures.Alignment(), measures.Distance(), measures.Spread(directions=(0, 2))]
    exact = exact_trajectory(problem, algorithm, 5, measures=wanted)
    found = simulate(problem, algorithm, rounds=5, replicas=R, seed=7, record=wanted)
    limit = NormalDist().inv_cdf(1 - LEVEL / 2)
    for name in (*names, "distance2", "spread_0", "spread_2"):
        first = 2 if name == "lag_product" else 1
        x = found.series[name][first:]
        z = (x.mean(axis=1) - exact.measured[name][first:]) / (x.std(axis=1, ddof=1) / R**0.5)
        assert np.abs(z).max() < limit, name


def test_what_is_not_known_is_left_out():
    problem = Problem(BOWL, Gaussian(sigma2=1.0), 1.0)
    kept = method(Averaging(), optimizer=optimizers.HeavyBall(0.5, "kept"))
    assert set(exact_trajectory(problem, kept, 2, measures=MEASURES).measured) == {
        "consensus2", "distance2", "effective_step", "sharpness",
    }  # fmt: skip
    apart = method(Averaging(), aggregation=aggregations.ElasticAveraging(0.2))
    assert set(exact_trajectory(problem, apart, 2, measures=MEASURES).measured) == {
        "consensus2", "distance2", "effective_step", "sharpness",
    }  # fmt: skip


def test_a_linear_function_moves_by_one_displacement():
    problem = Problem(Linear(dim=2, slope=2.0), Noiseless(), 0.0)
    wanted = [measures.Alignment(), measures.Sharpness()]
    exact = exact_trajectory(problem, method(BlockMomentum(0.5)), 4, measures=wanted)
    found = simulate(problem, method(BlockMomentum(0.5)), rounds=4, record=wanted)
    for name in ("displacement_norm2", "lag_product", "move_product", "sharpness"):
        np.testing.assert_allclose(found.series[name][:, 0], exact.measured[name], atol=1e-9)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0])
def test_the_stationary_correlation_of_displacements(gamma):
    """Averages obey w = rho w + e, so displacements have the correlation -(1 - rho)/2."""
    problem = Problem(Quadratic((1.0,)), Gaussian(sigma2=1.0), 0.0)
    algorithm = method(Averaging(), gamma=gamma)
    exact = exact_trajectory(problem, algorithm, 400, measures=[measures.Alignment()])
    lag, norm2 = (exact.measured[name][-1] for name in ("lag_product", "displacement_norm2"))
    assert lag / norm2 == pytest.approx(-(1 - (1 - gamma) ** 3) / 2, rel=1e-9)


APART = {
    "EASGD": aggregations.ElasticAveraging(0.3),
    "a ring": aggregations.Gossip(),
    "learners that never meet": aggregations.Gossip("identity"),
}


@pytest.mark.parametrize("name", APART)
def test_the_consensus_distance_of_learners_that_keep_their_iterates(name):
    R, wanted = 4000, [measures.Consensus()]
    algorithm = method(Averaging(), P=5, aggregation=APART[name])
    still = Problem(BOWL, Noiseless(), (1.0, -2.0, 0.5))
    exact = exact_trajectory(still, algorithm, 5, measures=wanted).measured["consensus2"]
    found = simulate(still, algorithm, rounds=5, record=wanted).consensus2[:, 0]
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-25)
    noisy = Problem(BOWL, Gaussian(sigma2=2.0), Normal(scale=0.5, mean=1.0))
    exact = exact_trajectory(noisy, algorithm, 5, measures=wanted).measured["consensus2"][1:]
    x = simulate(noisy, algorithm, rounds=5, replicas=R, seed=7, record=wanted).consensus2[1:]
    z = (x.mean(axis=1) - exact) / (x.std(axis=1, ddof=1) / R**0.5)
    assert np.abs(z).max() < NormalDist().inv_cdf(1 - LEVEL / 2)
