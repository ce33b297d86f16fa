"""Accumulated gradients: values by hand, what they equal, and their exact moments."""

import numpy as np
import pytest
from helpers.same import same_bits

from kavg import Algorithm, Problem, aggregations, objectives, outer, simulate
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.errors import KavgError
from kavg.optimizers import SGD, Accumulation
from kavg.oracles import Gaussian, Noiseless, RandomDesign, Shifted, StateDependent
from kavg.periods import PiecewisePeriod

RIPPLES = objectives.Cosine(dim=3)
RULES = (
    outer.Averaging(),
    outer.BlockMomentum(0.5),
    outer.SlowMo(0.5),
    outer.NesterovMomentum(0.5),
)


def method(optimizer, rule=RULES[0], **parts):
    return Algorithm(
        **{"P": 3, "K": 4, "gamma": 0.05, "outer": rule, "optimizer": optimizer} | parts
    )


def run(objective, oracle, algorithm, start=1.0, **options):
    problem = Problem(objective, oracle, start)
    return simulate(problem, algorithm, **{"rounds": 4, "replicas": 2, "seed": 3} | options)


def test_all_gradients_are_taken_at_the_start_of_the_round_by_hand():
    # F' = w: a round of K = 3 with gamma = 1/4 moves w by -3/4 w, and v is v/2 - 3/4 w.
    bowl = objectives.Quadratic((1.0,))
    plain = run(bowl, Noiseless(), method(Accumulation(), K=3, gamma=0.25), 16.0)
    assert plain.w[0, 0] == 16.0 / 4**4
    rule = outer.BlockMomentum(0.5)
    momentum = run(bowl, Noiseless(), method(Accumulation(), rule, K=3, gamma=0.25), 16.0, rounds=3)
    # v: -12, -6 - 3 = -9, -4.5 + 3.75; w: 4, -5, -5.75.
    assert momentum.w[0, 0] == -5.75


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_with_one_step_it_is_sgd(rule, dtype):
    runs = [
        run(RIPPLES, Gaussian(sigma2=1.0), method(optimizer, rule, K=1), dtype=dtype)
        for optimizer in (SGD(), Accumulation())
    ]
    assert same_bits(*runs)


def test_where_the_gradient_is_constant_it_is_sgd():
    slope = objectives.Linear(dim=2)
    runs = [run(slope, Gaussian(sigma2=1.0), method(one)) for one in (SGD(), Accumulation())]
    assert same_bits(*runs)
    assert not np.array_equal(
        *(run(RIPPLES, Gaussian(1.0), method(o)).w for o in (SGD(), Accumulation()))
    )


def test_without_noise_it_is_one_step_of_gamma_K():
    one = run(RIPPLES, Noiseless(), method(Accumulation(), RULES[1]))
    other = run(RIPPLES, Noiseless(), method(SGD(), RULES[1], K=1, gamma=0.2))
    np.testing.assert_allclose(one.w, other.w, rtol=1e-13)


def test_learners_with_their_own_numbers_of_steps_take_them_at_the_start():
    bowl, steps = objectives.Quadratic((1.0,)), aggregations.OwnSteps((1, 2, 4))
    done = run(bowl, Noiseless(), method(Accumulation(), gamma=0.125, aggregation=steps), rounds=1)
    # The plain mean of -1/8, -2/8 and -4/8.
    assert done.w[0, 0] == pytest.approx(1 - 7 / 24, rel=1e-15)


PROBLEMS = {
    "additive": (Gaussian(sigma2=4.0, B=2), 1.0),
    "state": (StateDependent(M=1.0, M_v=2.0), 1.0),
    "shifted": (Shifted(zeta2=2.0, noise=Gaussian(sigma2=1.0)), 1.0),
    "design": (RandomDesign(label_variance=0.5, B=2), 1.0),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
@pytest.mark.parametrize("name", PROBLEMS)
def test_means_of_runs_approach_the_exact_moments(name, rule):
    """Within 4.5 standard errors, for each of 4 rounds and 3 quantities: level 1e-4 a case."""
    oracle, start = PROBLEMS[name]
    problem = Problem(objectives.Quadratic((0.25, 1.0, 2.0)), oracle, start)
    algorithm = method(Accumulation(), rule)
    exact = exact_trajectory(problem, algorithm, 4)
    done = simulate(problem, algorithm, rounds=4, replicas=3000, seed=2)
    for quantity, values in exact.series.items():
        measured = done.series[quantity]
        error = measured.std(axis=1, ddof=1) / np.sqrt(measured.shape[1])
        assert np.all(np.abs(measured.mean(axis=1) - values) <= 4.5 * error + 1e-12), quantity


def test_the_outer_rule_sees_gamma_and_not_gamma_K():
    """SlowMo divides by the step of the round, which differs from gamma K where K changes."""
    periods = PiecewisePeriod((1, 4), (2,))
    algorithm = method(Accumulation(), outer.SlowMo(0.5), K=periods)
    problem = Problem(objectives.Quadratic((0.5, 2.0)), Noiseless(), 1.0)
    exact, done = exact_trajectory(problem, algorithm, 5), simulate(problem, algorithm, rounds=5)
    np.testing.assert_allclose(done.F[:, 0], exact.F, rtol=1e-12)


def test_exact_moments_know_restarts_and_refuse_other_aggregations():
    problem = Problem(objectives.Quadratic((1.0,)), Noiseless(), 16.0)
    again = method(Accumulation(), RULES[1], K=3, gamma=0.25, restart=1)
    assert exact_trajectory(problem, again, 2).mean.ravel().tolist() == [16.0, 4.0, 1.0]
    ring = method(Accumulation(), aggregation=aggregations.Gossip())
    with pytest.raises(KavgError, match="exact moments are not known for local steps of Accumul"):
        exact_trajectory(problem, ring, 2)
