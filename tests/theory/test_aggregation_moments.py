"""Exact moments of elastic averaging, gossip and asynchronous SGD, and momentum by asynchrony."""

from __future__ import annotations

from itertools import islice
from statistics import NormalDist

import numpy as np
import pytest
from helpers.exact import assert_close

from kavg import Algorithm, KavgError, Problem, meta_iterations, simulate
from kavg.aggregations import ElasticAveraging, Gossip, StaleGradients
from kavg.analysis.exact import eigen_problem, linear_rule
from kavg.analysis.exact.methods.elastic_moments import elastic_matrix
from kavg.analysis.exact.methods.stale_moments import iterate_stale_moments
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.objectives import Linear, Quadratic
from kavg.oracles import Gaussian, Noiseless, Rademacher, Shifted, StateDependent
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.schedules import InverseSqrt
from kavg.starts import Normal

LEVEL = 1e-3
R, N = 2000, 8
BOWL = Quadratic((0.2, 1.0, 2.5), rotation_seed=3)
ONE_WAY = [[(0.5, 0.3, 0.2, 0.0)[(i - j) % 4] for i in range(4)] for j in range(4)]


def easgd(alpha, outer=None, P=4, K=3, gamma=0.2, first="released"):
    law = ElasticAveraging(alpha, first)
    return Algorithm(P, K, gamma, outer or Averaging(), aggregation=law)


def decentralised(mixing, P=4, K=3, gamma=0.2):
    return Algorithm(P, K, gamma, Averaging(), aggregation=Gossip(mixing))


def asynchronous(P=4, K=2, gamma=0.05, **law):
    return Algorithm(P, K, gamma, Averaging(), aggregation=StaleGradients(**law))


CASES = {
    "EASGD": (Gaussian(2.0), 1.0, easgd(0.3)),
    "EASGD, both pulls": (Rademacher(2.0), Normal(0.5, 2.0), easgd(0.2, Averaging(0.8))),
    "EASGD as published": (
        Rademacher(2.0), Normal(0.5, 2.0), easgd(0.2, Averaging(0.8), first="last")
    ),
    "EASGD as published, every step": (
        Shifted(3.0, Gaussian(1.0), seed=4), 1.0, easgd(0.2, Averaging(0.8), K=1, first="last")
    ),
    "EASGD, last, SlowMo, schedule": (
        Gaussian(1.0), 1.0,
        easgd(0.5, SlowMo(0.4, 0.9), gamma=InverseSqrt(0.3, rounds=2), first="last"),
    ),
    "EASGD, last, look-ahead": (
        Gaussian(1.0), Normal(1.0), easgd(0.4, NesterovMomentum(0.4), K=2, first="last")
    ),
    "EASGD, block momentum": (Gaussian(1.0), 1.0, easgd(0.3, BlockMomentum(0.5))),
    "EASGD, look-ahead": (Gaussian(1.0), Normal(1.0), easgd(0.4, NesterovMomentum(0.4), K=2)),
    "EASGD, SlowMo, schedule": (
        Gaussian(1.0), 1.0, easgd(0.5, SlowMo(0.4, 0.9), gamma=InverseSqrt(0.3, rounds=2))
    ),
    "EASGD, shifted": (Shifted(3.0, Gaussian(1.0), seed=4), 1.0, easgd(0.25, Averaging(0.9))),
    "ring": (Gaussian(2.0, B=2), Normal(0.5, 2.0), decentralised("ring", P=5)),
    "one way": (Gaussian(2.0), 1.0, decentralised(ONE_WAY)),
    "apart": (Rademacher(2.0), 1.0, decentralised("identity", gamma=InverseSqrt(0.3))),
    "geometric": (Gaussian(1.0), Normal(0.5, 1.0), asynchronous()),
    "cut": (Gaussian(1.0), 1.0, asynchronous(longest=3, gamma=InverseSqrt(0.1))),
    "uniform": (Gaussian(1.0), 1.0, asynchronous(law="uniform", P=3)),
    "constant": (Rademacher(1.0), 1.0, asynchronous(law="constant", P=3)),
}  # fmt: skip


def deviation(run, exact):
    """The largest distance of a mean over replicas from its exact value, in standard errors."""
    worst, count = 0.0, 0
    for name, values in exact.series.items():
        found, size = run.series[name].mean(axis=1), run.series[name].std(axis=1)
        room = size / np.sqrt(run.replicas) + 1e-12 * (1 + np.abs(values))
        worst, count = max(worst, float((np.abs(found - values) / room).max())), count + len(found)
    return worst, NormalDist().inv_cdf(1 - LEVEL / (2 * count))


@pytest.mark.parametrize("name", CASES)
def test_runs_agree_with_the_moments(name):
    oracle, start, method = CASES[name]
    problem = Problem(BOWL, oracle, start)
    run = simulate(problem, method, rounds=N, replicas=R, seed=1)
    worst, limit = deviation(run, exact_trajectory(problem, method, N))
    assert worst < limit


@pytest.mark.parametrize("name", CASES)
def test_moments_of_another_step_are_found_wrong(name):
    oracle, start, method = CASES[name]
    problem = Problem(BOWL, oracle, start)
    run = simulate(problem, method, rounds=N, replicas=R, seed=1)
    other = Algorithm(
        method.P, method.K, lambda n: 1.1 * method.step_size(n), method.outer,
        aggregation=method.aggregation,
    )  # fmt: skip
    worst, limit = deviation(run, exact_trajectory(problem, other, N))
    assert worst > 2 * limit


@pytest.mark.parametrize("name", CASES)
def test_a_linear_function_and_no_noise_are_exact(name):
    _, _, method = CASES[name]
    problem = Problem(Linear(2, slope=1.5), Noiseless(), 1.0)
    run, exact = simulate(problem, method, rounds=N), exact_trajectory(problem, method, N)
    for quantity, values in exact.series.items():
        # The staleness does not matter to w where all displacements are the same.
        if quantity != "dispersion" or not isinstance(method.aggregation, StaleGradients):
            assert_close(run.series[quantity][:, 0], values)


EQUAL = {
    "complete gossip": (decentralised("complete"), Algorithm(4, 3, 0.2, Averaging())),
    "apart": (decentralised("identity"), easgd(0.0)),
    "no staleness": (asynchronous(P=1), Algorithm(1, 2, 0.05, Averaging())),
}


@pytest.mark.parametrize("name", EQUAL)
def test_moments_of_methods_that_are_equal(name):
    problem = Problem(BOWL, Gaussian(2.0), Normal(0.5))
    one, other = (exact_trajectory(problem, method, N) for method in EQUAL[name])
    for quantity in one.series:
        assert_close(one.series[quantity], other.series[quantity], 1e-12)
    assert_close(one.variance, other.variance, 1e-12)


def test_the_mean_of_gossip_has_the_moments_of_k_avg_for_every_matrix():
    problem = Problem(BOWL, Gaussian(2.0), 1.0)
    averaged = exact_trajectory(problem, Algorithm(4, 3, 0.2, Averaging()), N)
    for mixing in ("ring", "identity", ONE_WAY):
        found = exact_trajectory(problem, decentralised(mixing), N)
        assert np.array_equal(found.F, averaged.F)
        assert (found.dispersion[2:] > 1.04 * averaged.dispersion[2:]).all()


def test_the_dispersion_of_learners_that_never_meet_is_that_of_separate_runs():
    """The variance of one learner alone, less that of the mean of P."""
    problem = Problem(BOWL, Gaussian(2.0), 1.0)
    apart = exact_trajectory(problem, decentralised("identity", P=4), N)
    alone = exact_trajectory(problem, Algorithm(1, 3, 0.2, Averaging()), N)
    assert_close(apart.dispersion, 0.75 * alone.variance.sum(axis=1))
    assert_close(apart.variance, alone.variance / 4)


REFUSED = {
    "noise that grows": (StateDependent(1.0, 1.0), easgd(0.3), "the same everywhere"),
    "gossip of learners that differ": (Shifted(1.0, Gaussian(1.0)), decentralised("ring"), "zeta2"),
    "asynchronous ones that differ": (Shifted(1.0, Gaussian(1.0)), asynchronous(), "zeta2 above 0"),
    "many": (Gaussian(1.0), asynchronous(P=400), "are the most; reduce P or dim, or simulate"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_moments_that_are_not_known_are_refused(name):
    oracle, method, message = REFUSED[name]
    with pytest.raises(KavgError, match=message):
        exact_trajectory(Problem(BOWL, oracle, 1.0), method, 2)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9, 1.0, 1.7])
def test_elastic_averaging_converges_where_its_docstring_says(alpha, beta):
    rho = np.linspace(-3.0, 1.2, 853)
    carry = np.full_like(rho, 1 - alpha)
    A, _ = elastic_matrix(linear_rule(Averaging(beta), 1.0), alpha, rho, carry)
    radius = np.abs(np.linalg.eigvals(A[:, :2, :2])).max(axis=1)
    product, bound = rho * (1 - alpha - beta), rho * (2 - 2 * alpha - beta)
    is_stable = (np.abs(product) < 1) & (rho < 1) & (bound > beta - 2)
    near = np.abs(radius - 1) < 1e-9
    assert np.array_equal((radius < 1)[~near], is_stable[~near])
    # With alpha = 0 the centre only follows.
    assert alpha > 0 or beta > 2 or np.array_equal(is_stable[~near], (np.abs(rho) < 1)[~near])


# --- asynchrony acts as momentum

PULL = 0.2
"""1 - rho: what K steps take of the distance from the minimum."""


def heavy_ball(P, T, start=1.0):
    """``m_1, ..., m_T`` of momentum 1 - 1/P and a step of 1/P; the first step is a whole one."""
    m = [start, (1 - PULL) * start]
    while len(m) <= T:
        m.append(m[-1] + (1 - 1 / P) * (m[-1] - m[-2]) - PULL / P * m[-1])
    return np.array(m[: T + 1])


@pytest.mark.parametrize("P", [1, 2, 4, 8, 16])
def test_the_mean_of_asynchronous_sgd_is_a_heavy_ball(P):
    """All but exactly: a staleness is cut off with a probability of 2e-9."""
    rounds = 6
    found = iterate_stale_moments(eigen_problem([1.0], mean=1.0), asynchronous(P, K=1, gamma=PULL))
    means = [now.w.item() for now in islice(found, rounds + 1)]
    assert_close(means, heavy_ball(P, rounds * P)[::P], 1e-8)


def iterates(P, rounds, R, seed):
    """Every iterate of a run in one dimension, ``(rounds P + 1, R)``."""
    problem = Problem(Quadratic((1.0,)), Gaussian(0.01), start=1.0)
    method = asynchronous(P, K=1, gamma=PULL)
    found = meta_iterations(problem, method, replicas=R, seed=seed)
    u = [next(found).w[:, 0]]
    for now in islice(found, rounds):
        last = P - 1
        u += [] if last == 0 else list(now.state.slots[0, -last:, :, 0])
        u.append(now.w[:, 0])
    return np.array(u)


def fit_momentum(u, P):
    """Momentum and step of a heavy ball, and their standard errors.

    ``E [D_{t+1} - mu D_t + a u_t] = 0`` with ``D_t = u_t - u_{t-1}`` holds for t from 1 on, so the
    sum over t with any fixed weights has mean 0 at the true ``(mu, a)``.  The weights are the
    expected ``D_t`` and ``u_t``, and the equations are solved for the means over replicas.
    """
    D, m = np.diff(u, axis=0), heavy_ball(P, len(u) - 1)
    weights = np.array([np.diff(m)[:-1], m[1:-1]])
    by_replica = np.einsum("it,jtr->ijr", weights, np.array([D[:-1], -u[1:-1]]))
    target = weights @ D[1:]
    matrix = by_replica.mean(axis=2)
    fitted = np.linalg.solve(matrix, target.mean(axis=1))
    rest = target - np.einsum("ijr,j->ir", by_replica, fitted)
    inverse = np.linalg.inv(matrix)
    covariance = inverse @ np.cov(rest) @ inverse.T / u.shape[1]
    return fitted, np.sqrt(np.diag(covariance))


@pytest.mark.parametrize("P", [2, 4, 8, 16])
def test_asynchrony_acts_as_momentum(P):
    """Fitted to a run, at a level of 1e-3 over the four P and both numbers of each."""
    limit = NormalDist().inv_cdf(1 - LEVEL / (2 * 4 * 2))
    fitted, errors = fit_momentum(iterates(P, rounds=8, R=4000, seed=1), P)
    expected = np.array([1 - 1 / P, PULL / P])
    assert (np.abs(fitted - expected) < limit * errors).all()
    # The momentum of P + 1 learners is told apart.
    assert errors[0] * limit < 0.5 * (1 / P - 1 / (P + 1))


def test_one_age_is_no_momentum():
    """With a constant staleness of P - 1 the mean obeys another recursion, and the fit says so."""
    exact = iterate_stale_moments(
        eigen_problem([1.0], mean=1.0), asynchronous(4, K=1, gamma=PULL, law="constant")
    )
    means = np.array([now.w.item() for now in islice(exact, 5)])
    assert np.abs(means - heavy_ball(4, 16)[::4]).max() > 0.02


# --- closed forms of docs/theory.md, 4.10


@pytest.mark.parametrize("P", [3, 6, 8])
def test_the_stationary_spread_on_a_ring(P):
    h, gamma, K, sigma2 = 1.0, 0.1, 2, 2.0
    problem = Problem(Quadratic((h,)), Gaussian(sigma2), 0.0)
    found = exact_trajectory(problem, decentralised("ring", P, K, gamma), 400).dispersion[-1]
    r = 1 - gamma * h
    own = gamma**2 * sigma2 * sum(r ** (2 * t) for t in range(K))
    eigenvalues = (1 + 2 * np.cos(2 * np.pi * np.arange(1, P) / P)) / 3
    assert_close(found, own / P * np.sum(1 / (1 - (r**K * eigenvalues) ** 2)), 1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("first", ["released", "last"])
def test_the_stationary_spread_of_elastic_averaging(alpha, first):
    h, gamma, K, P, sigma2 = 1.0, 0.1, 2, 4, 2.0
    problem = Problem(Quadratic((h,)), Gaussian(sigma2), 0.0)
    method = easgd(alpha, P=P, K=K, gamma=gamma, first=first)
    found = exact_trajectory(problem, method, 400).dispersion[-1]
    r = 1 - gamma * h
    own = gamma**2 * sigma2 * sum(r ** (2 * t) for t in range(K))
    factor = (1 - alpha) * r**K if first == "released" else (1 - alpha - gamma * h) * r ** (K - 1)
    assert_close(found, (1 - 1 / P) * own / (1 - factor**2), 1e-12)
