"""Baselines: what each equals, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.same import same_bits

from kavg import Problem, methods, objectives, oracles, outer, schedules, simulate
from kavg.errors import KavgError
from kavg.methods.baseline_methods import baselines

PROBLEM = Problem(objectives.Cosine(dim=3), oracles.Gaussian(sigma2=1.0), 1.0)


def run(algorithm, rounds=3):
    return simulate(PROBLEM, algorithm, rounds=rounds, replicas=2, seed=4)


@pytest.mark.parametrize("mu", [0.0, 0.5])
def test_with_one_gradient_a_round_mini_batch_sgd_is_synchronous(mu):
    one, other = (
        make(4, 1, 0.05, mu=mu) for make in (methods.minibatch_sgd, methods.synchronous_sgd)
    )
    assert same_bits(run(one), run(other))


def test_a_single_learner_without_momentum_is_k_avg_of_one():
    alone, plain = run(methods.single_learner(1, 4, 0.05, beta=0.0)), run(methods.k_avg(1, 4, 0.05))
    assert np.array_equal(alone.w, plain.w)
    assert all(np.array_equal(alone.series[name], plain.series[name]) for name in plain.series)


def test_the_path_of_a_single_learner_does_not_depend_on_K():
    paths = [run(methods.single_learner(1, K, 0.05), rounds=12 // K).w for K in (1, 3, 4)]
    # Learners count displacements from where the round begins, which rounds.
    np.testing.assert_allclose(paths[1], paths[0], rtol=1e-13)
    np.testing.assert_allclose(paths[2], paths[0], rtol=1e-13)


def test_large_batches_scale_the_step_linearly():
    large = methods.large_batch(4, 8, 0.01, mu=0.5)
    assert (large.gamma, large.outer) == (0.04, outer.BlockMomentum(0.5))
    one_step = methods.synchronous_sgd(1, 1, 0.01 * 4 * 8)
    quiet = Problem(objectives.Cosine(dim=3), oracles.Noiseless(), 1.0)
    wide, single = (
        simulate(quiet, each, rounds=3).w for each in (methods.large_batch(4, 8, 0.01), one_step)
    )
    np.testing.assert_allclose(wide, single, rtol=1e-13)


def test_baselines_have_the_numbers_of_the_method():
    of_mavg = {one.name: one for one in baselines(methods.m_avg(4, 8, 0.05, mu=0.75))}
    assert len(of_mavg) == 7
    momentum = of_mavg["mini-batch SGD, momentum"]
    assert (momentum.P, momentum.K, momentum.gamma, momentum.outer.mu) == (4, 8, 0.05, 0.75)
    assert of_mavg["one learner, momentum"].optimizer.beta == 0.75
    assert of_mavg["synchronous SGD"].K == 1
    assert of_mavg["large batch"] == replace(methods.large_batch(4, 8, 0.05), name="large batch")
    assert of_mavg["mini-batch SGD"] == replace(
        methods.minibatch_sgd(4, 8, 0.05), name="mini-batch SGD"
    )
    assert [one.P for one in of_mavg.values()] == [4, 4, 4, 4, 1, 1, 4]
    of_kavg = {one.name: one for one in baselines(methods.k_avg(4, 8, 0.05))}
    assert of_kavg["synchronous SGD, momentum"].outer.mu == 0.9
    assert baselines(methods.k_avg(4, 8, 0.05), mu=0.3)[1].outer.mu == 0.3


def test_a_schedule_is_not_scaled():
    falling = schedules.InverseSqrt(0.1)
    names = [one.name for one in baselines(methods.k_avg(4, 8, falling))]
    assert "large batch" not in names
    with pytest.raises(KavgError, match="linear scaling needs gamma as a number, got InverseSqrt"):
        methods.large_batch(4, 8, falling)


def test_several_learners_are_not_a_single_one():
    with pytest.raises(KavgError, match="a single learner was asked for, got P=4; use P=1"):
        methods.single_learner(4, 8, 0.05)
