"""The ten laws (docs/design.md), for every problem and algorithm that Hypothesis thinks of."""

from itertools import islice

import numpy as np
import pytest
from helpers.ranks import CountingComm, run_ranks
from helpers.same import same_bits
from helpers.spy import SpyOracle
from helpers.strategies import (
    additive_noise,
    algorithms,
    analytic,
    analytic_kinds,
    is_smooth,
    outer_rules,
    problems,
    small_objective,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg

SIZES = st.integers(1, 8)
PRECISIONS = st.sampled_from(["float64", "float32"])
NOT_SMOOTH = [kind for kind, cls in analytic_kinds().items() if not is_smooth(small_objective(cls))]


def run(problem, algorithm, **settings):
    return kavg.simulate(problem, algorithm, **{"rounds": 3, "replicas": 2, "seed": 5} | settings)


@given(problems(), algorithms(), SIZES, PRECISIONS)
def test_law_1_ranks_never_change_the_bits(problem, algorithm, size, dtype):
    serial = run(problem, algorithm, dtype=dtype)
    for on_rank in run_ranks(size, lambda comm: run(problem, algorithm, dtype=dtype, comm=comm)):
        assert same_bits(serial, on_rank)


@given(problems(), algorithms(), st.integers(1, 15), st.integers(1, 15), PRECISIONS)
def test_law_2_tiles_never_change_the_bits(problem, algorithm, one, other, dtype):
    first = run(problem, algorithm, tile=one, dtype=dtype)
    assert same_bits(first, run(problem, algorithm, tile=other, dtype=dtype))


@given(problems(), algorithms(), st.integers(1, 15), st.integers(1, 15), PRECISIONS)
def test_law_2_holds_for_the_plain_mean(problem, algorithm, one, other, dtype):
    first = run(problem, algorithm, tile=one, dtype=dtype, mean="allreduce")
    assert same_bits(first, run(problem, algorithm, tile=other, dtype=dtype, mean="allreduce"))


@pytest.mark.parametrize("kind", NOT_SMOOTH)
@settings(max_examples=20)
@given(additive_noise(), algorithms(), SIZES, st.integers(1, 15), PRECISIONS)
def test_laws_1_and_2_where_L_is_infinite(kind, noise, algorithm, size, tile, dtype):
    """No step is safe there, but near 0.5 a small one does not diverge in three rounds."""
    problem = kavg.Problem(small_objective(analytic_kinds()[kind], dim=3), noise, 0.5)
    gentle = kavg.Algorithm(algorithm.P, algorithm.K, 1e-4, algorithm.outer)
    serial = run(problem, gentle, dtype=dtype)
    assert serial.diverged_at is None
    runs = run_ranks(size, lambda comm: run(problem, gentle, dtype=dtype, comm=comm, tile=tile))
    assert all(same_bits(serial, on_rank) for on_rank in runs)


@given(problems(), algorithms(), st.integers(1, 3), st.integers(1, 3), PRECISIONS)
def test_law_3_replicas_are_a_prefix(problem, algorithm, few, more, dtype):
    short = run(problem, algorithm, replicas=few, dtype=dtype)
    long = run(problem, algorithm, replicas=few + more, dtype=dtype)
    assert np.array_equal(short.w, long.w[:few])
    for name, values in short.series.items():
        assert np.array_equal(values, long.series[name][:, :few]), name


@given(analytic(), additive_noise(), algorithms(), algorithms())
def test_law_4_noise_does_not_know_the_method(problem, noise, one, other):
    """Up to the rounding of ``(grad + noise) - grad``; the noise of one place is drawn once."""
    if isinstance(noise, kavg.oracles.StateDependent):
        noise = kavg.oracles.Gaussian(sigma2=1.0)
    spies = []
    for algorithm in (one, other):
        spies.append(SpyOracle(noise))
        run(kavg.Problem(problem.objective, spies[-1], problem.start), algorithm)
    common = spies[0].noise.keys() & spies[1].noise.keys()
    assert (0, 0) in common
    for place in common:
        np.testing.assert_allclose(spies[0].noise[place], spies[1].noise[place], atol=1e-12)


@given(analytic(), algorithms(P=st.integers(2, 5)))
def test_noise_differs_between_learners_steps_and_replicas(problem, algorithm):
    spy = SpyOracle(kavg.oracles.Gaussian(sigma2=1.0))
    run(kavg.Problem(problem.objective, spy, problem.start), algorithm)
    draws = [tuple(np.round(row, 9)) for noise in spy.noise.values() for row in noise]
    assert len(set(draws)) == len(draws)


@given(problems(), algorithms())
def test_law_5_mu_0_is_plain_averaging(problem, algorithm):
    plain = run(problem, kavg.Algorithm(algorithm.P, algorithm.K, algorithm.gamma, AVERAGING))
    for rule in (kavg.outer.BlockMomentum(0.0), kavg.outer.NesterovMomentum(0.0)):
        momentum = run(problem, kavg.Algorithm(algorithm.P, algorithm.K, algorithm.gamma, rule))
        assert np.array_equal(plain.w, momentum.w)
        assert np.array_equal(plain.F, momentum.F)


AVERAGING = kavg.outer.Averaging()


@given(analytic(), algorithms(P=st.integers(2, 13)))
def test_law_5_without_noise_p_learners_are_one(problem, algorithm):
    quiet = kavg.Problem(problem.objective, kavg.oracles.Noiseless(), problem.start)
    alone = kavg.Algorithm(1, algorithm.K, algorithm.gamma, algorithm.outer)
    many, one = run(quiet, algorithm), run(quiet, alone)
    np.testing.assert_allclose(many.w, one.w, rtol=1e-13, atol=1e-13)
    assert not many.dispersion.any()


@given(analytic(), st.integers(1, 6), st.floats(0.01, 0.2))
def test_law_5_k_1_is_minibatch_sgd(problem, P, gamma):
    spy = SpyOracle(problem.oracle)
    spied = kavg.Problem(problem.objective, spy, problem.start)
    rounds = kavg.meta_iterations(spied, kavg.Algorithm(P, 1, gamma, AVERAGING), replicas=2, seed=5)
    before = next(rounds)
    for step, after in enumerate(islice(rounds, 3)):
        exact = problem.objective.grad(before.w, np.empty_like(before.w))
        batch = exact + sum(spy.noise[j, step] for j in range(P)) / P
        np.testing.assert_allclose(after.w, before.w - gamma * batch, rtol=1e-12, atol=1e-12)
        before = after


@given(analytic(), algorithms(), st.integers(1, 15))
def test_law_6_every_block_has_exactly_k_steps(problem, algorithm, tile):
    spy, K = SpyOracle(problem.oracle), algorithm.K
    spied = kavg.Problem(problem.objective, spy, problem.start)
    rounds = kavg.meta_iterations(spied, algorithm, replicas=2, seed=3, tile=tile)
    next(rounds)
    # Before the start the oracle is called on trial.
    spy.steps.clear()
    list(islice(rounds, 3))
    assert set(spy.steps) == set(range(algorithm.P))
    for steps in spy.steps.values():
        blocks = [steps[i : i + K] for i in range(0, len(steps), K)]
        assert all(block == list(range(block[0], block[0] + K)) for block in blocks)
        assert sorted({block[0] for block in blocks}) == [0, K, 2 * K]


@given(algorithms(), st.integers(1, 5))
def test_law_7_a_round_costs_one_collective(algorithm, size):
    """On several ranks a run begins with an Allgather and an Allreduce, and ends with another."""
    steady = kavg.Problem(kavg.objectives.Linear(dim=20), kavg.oracles.Gaussian(sigma2=1.0))
    method = kavg.Algorithm(algorithm.P, algorithm.K, 0.1, algorithm.outer)
    expected = {"Allreduce": 4} if size == 1 else {"Allgather": 1, "Allreduce": 6}
    for counted in run_ranks(size, lambda comm: calls_of(steady, method, comm)):
        assert counted == expected


def calls_of(problem, algorithm, comm, **settings):
    counting = CountingComm(comm)
    run(problem, algorithm, rounds=4, comm=counting, **settings)
    return counting.calls


@pytest.mark.parametrize(("mean", "more"), [("exact", 2), ("allreduce", 3)])
def test_law_7_a_second_pass_for_the_dispersion_costs_two_collectives_more_or_three(mean, more):
    """Learners without noise are one: no bit of the difference of squares is left."""
    quiet = kavg.Problem(kavg.objectives.Linear(dim=2), kavg.oracles.Noiseless())
    calls = calls_of(quiet, kavg.Algorithm(3, 2, 0.1, AVERAGING), kavg.SerialComm(), mean=mean)
    assert calls == {"Allreduce": 4 * (1 + more)}
    assert calls_of(quiet, kavg.Algorithm(1, 2, 0.1, AVERAGING), kavg.SerialComm()) == {
        "Allreduce": 4
    }


def test_law_7_a_grid_that_was_too_narrow_costs_two_collectives_more():
    jump = kavg.schedules.Piecewise((0.001, 1.0), (2,))
    problem = kavg.Problem(kavg.objectives.Linear(dim=20), kavg.oracles.Gaussian(sigma2=1.0))
    calls = calls_of(problem, kavg.Algorithm(3, 2, jump, AVERAGING), kavg.SerialComm())
    assert calls == {"Allreduce": 5, "Allgather": 1}


@given(problems(), algorithms(), st.integers(0, 3), SIZES)
def test_law_8_stopping_and_resuming_changes_nothing(problem, algorithm, stop, size):
    whole = list(islice(kavg.meta_iterations(problem, algorithm, replicas=2, seed=5), 5))

    def rest(comm):
        rounds = kavg.meta_iterations(
            problem, algorithm, replicas=2, seed=5, comm=comm, state=whole[stop].state
        )
        return list(islice(rounds, 4 - stop))

    for resumed in run_ranks(size, rest):
        for one, other in zip(whole[stop + 1 :], resumed, strict=True):
            assert one.n == other.n
            assert np.array_equal(one.w, other.w)
            assert np.array_equal(one.v, other.v)
            assert np.array_equal(one.dispersion, other.dispersion)


@pytest.mark.parametrize("rule", ["averaging", "block_momentum"])
@given(
    h=st.floats(-0.5, 2.0),
    gamma=st.floats(0.05, 0.6),
    K=st.integers(1, 6),
    P=st.integers(1, 9),
    mu=st.floats(0, 0.9),
)
def test_law_9_the_mean_on_quadratics_without_noise(rule, h, gamma, K, P, mu):
    """Docs/theory.md, section 4.1: ``w_{n+1} = (rho + mu) w_n - mu w_{n-1}``."""
    mu = 0.0 if rule == "averaging" else mu
    outer = AVERAGING if rule == "averaging" else kavg.outer.BlockMomentum(mu)
    problem = kavg.Problem(kavg.objectives.Quadratic((h,)), kavg.oracles.Noiseless(), 1.0)
    rho, path = (1 - gamma * h) ** K, [1.0, 1.0]
    for done in islice(kavg.meta_iterations(problem, kavg.Algorithm(P, K, gamma, outer)), 8):
        np.testing.assert_allclose(done.w[0, 0], path[-1], rtol=1e-11, atol=1e-13)
        path = [path[1], (rho + mu) * path[1] - mu * path[0]]


@settings(max_examples=12)
@given(
    h=st.floats(0.2, 1.5),
    gamma=st.floats(0.1, 0.6),
    K=st.integers(1, 5),
    P=st.integers(1, 6),
    mu=st.floats(0, 0.8),
)
def test_law_9_moments_on_quadratics_with_noise(h, gamma, K, P, mu):
    """Mean, variance and learner spread of section 4.1; each within 5 standard errors.

    At 12 seeded examples with 15 checks each the level is about 180 * 6e-7 = 1e-4.
    """
    R, rounds = 4000, 5
    problem = kavg.Problem(kavg.objectives.Quadratic((h,)), kavg.oracles.Gaussian(1.0), 1.0)
    method = kavg.Algorithm(P, K, gamma, kavg.outer.BlockMomentum(mu))
    r = 1 - gamma * h
    rho, q = r**K, gamma**2 / P * sum(r ** (2 * t) for t in range(K))
    mean, psi, variance = [1.0, 1.0], [0.0, 1.0], 0.0
    iterations = kavg.meta_iterations(problem, method, replicas=R, seed=7)
    next(iterations)
    for done in islice(iterations, rounds):
        mean = [mean[1], (rho + mu) * mean[1] - mu * mean[0]]
        variance += q * psi[1] ** 2
        psi = [psi[1], (rho + mu) * psi[1] - mu * psi[0]]
        w, spread = done.w[:, 0], (1 - 1 / P) * P * q
        assert abs(w.mean() - mean[1]) < 5 * (variance / R) ** 0.5
        assert abs(w.var() / variance - 1) < 5 * (2 / R) ** 0.5
        if P > 1:
            error = (2 / (P - 1) / R) ** 0.5
            assert abs(done.dispersion.mean() / spread - 1) < 5 * error


@given(st.integers(1, 13), st.integers(1, 13), SIZES)
def test_law_10_the_hand_path(P, tile, size):
    problem = kavg.Problem(kavg.objectives.Linear(dim=1), kavg.oracles.Noiseless(), 0.0)
    method = kavg.Algorithm(P, 3, 1.0, kavg.outer.BlockMomentum(0.5))

    def path(comm):
        rounds = kavg.meta_iterations(problem, method, comm=comm, tile=tile)
        return [done.w.item() for done in islice(rounds, 4)]

    for walked in run_ranks(size, path):
        assert walked == [0.0, -3.0, -7.5, -12.75]


@given(analytic(), algorithms(), outer_rules(), SIZES)
def test_plain_allreduce_agrees_to_rounding(problem, algorithm, outer, size):
    method = kavg.Algorithm(algorithm.P, algorithm.K, algorithm.gamma, outer)
    exact = run(problem, method)
    for plain in run_ranks(size, lambda comm: run(problem, method, comm=comm, mean="allreduce")):
        np.testing.assert_allclose(plain.w, exact.w, rtol=1e-9, atol=1e-9)
