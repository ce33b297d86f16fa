"""Runs show what the exact moments say: to round-off without noise, within limits with it."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from kavg import Algorithm, KavgError, Problem, simulate
from kavg.analysis.exact import linear_rule, moments, stationary
from kavg.analysis.exact.problem_directions import to_eigenbasis
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.measures import ExponentialMean, SuffixMean, UniformMean
from kavg.objectives import Cosine, Linear, Quadratic
from kavg.objectives.spectrum import LogSpectrum
from kavg.oracles import (
    Gaussian,
    MiniBatch,
    Noiseless,
    Rademacher,
    Shifted,
    Sphere,
    StateDependent,
    StudentT,
)
from kavg.outer import (
    Averaging,
    BlockMomentum,
    FedAdagrad,
    FedAdam,
    NesterovLookAhead,
    NesterovMomentum,
    QuasiHyperbolic,
    SlowMo,
)
from kavg.periods import PiecewisePeriod, QuadraticSynchronization, WarmUpPeriod
from kavg.schedules import InverseSqrt, Piecewise, WarmUp
from kavg.starts import Normal

LEVEL = 1e-3
R, N = 2000, 8
TURNED = Quadratic((0.2, 1.0, 2.5), rotation_seed=3)
PLAIN = Quadratic((0.2, 1.0, 2.5))
SADDLE = Quadratic((-0.3, 0.0, 1.0), rotation_seed=1)

CASES = {
    "averaging": (TURNED, Gaussian(2.0, B=2), 1.0, Averaging(), 4, 3, 0.2),
    "block": (TURNED, Rademacher(2.0), (1.0, -2.0, 0.5), BlockMomentum(0.7), 3, 4, 0.1),
    "nesterov": (TURNED, StudentT(2.0, nu=9.0), Normal(0.5, 2.0), NesterovMomentum(0.7), 3, 2, 0.2),
    "slowmo": (TURNED, Sphere(2.0, B=3), Normal(0.5, 2.0), SlowMo(0.6, 0.8), 4, 3, 0.2),
    "rho below 0": (PLAIN, Gaussian(1.0), 1.0, BlockMomentum(0.5), 3, 3, 0.8),
    "saddle": (SADDLE, Gaussian(1.0), 0.5, BlockMomentum(0.5), 2, 5, 0.1),
    "state": (TURNED, StateDependent(1.0, 2.0), 1.0, Averaging(), 2, 5, 0.2),
    "state, block": (TURNED, StateDependent(1.0, 1.5, B=2), 1.0, BlockMomentum(0.6), 3, 4, 0.15),
    "state, nesterov": (
        PLAIN, StateDependent(0.5, 1.0), Normal(1.0), NesterovMomentum(0.6), 3, 4, 0.2
    ),
    "state, slowmo, schedule": (
        TURNED, StateDependent(1.0, 1.0), 1.0, SlowMo(0.7, 1.3), 3, 3, InverseSqrt(0.3, rounds=2)
    ),
    "shifted, odd": (
        TURNED, Shifted(3.0, Gaussian(1.0), seed=4), 1.0, BlockMomentum(0.5), 5, 6, 0.2
    ),
    "shifted, schedule": (
        PLAIN, Shifted(3.0, Sphere(1.0)), 1.0, NesterovMomentum(0.5), 4, 3,
        WarmUp(rounds=3, then=InverseSqrt(0.2)),
    ),
    "linear": (
        Linear(3, slope=-0.5), Gaussian(1.0), 0.0, SlowMo(0.5), 3, 4, Piecewise((0.3, 0.1), (4,))
    ),
    "averaging, alpha": (TURNED, Gaussian(2.0), 1.0, Averaging(0.6), 4, 3, 0.2),
    "block, alpha": (TURNED, Gaussian(2.0), 1.0, BlockMomentum(0.7, 0.6), 4, 3, 0.2),
    "nesterov, alpha": (TURNED, Gaussian(2.0), 1.0, NesterovMomentum(0.7, 0.6), 4, 3, 0.2),
    "look-ahead": (TURNED, Gaussian(2.0), 1.0, NesterovLookAhead(0.6, 0.7), 4, 3, 0.2),
    "quasi-hyperbolic": (TURNED, Gaussian(2.0), 1.0, QuasiHyperbolic(0.8, 0.6, 1.5), 4, 3, 0.2),
    "restarts": (
        TURNED, Gaussian(2.0), 1.0, BlockMomentum(0.7), 4, 3, Piecewise((0.2, 0.1), (4,)), 3
    ),
    "restarts, state": (
        TURNED, StateDependent(1.0, 1.5, B=2), 1.0, NesterovLookAhead(0.6), 3, 4, 0.15, 2
    ),
    "linear, state": (
        Linear(2, slope=1.5), StateDependent(1.0, 1.0), 0.0, BlockMomentum(0.5), 3, 4, 0.1
    ),
    "post-local, block": (
        TURNED, Gaussian(2.0), 1.0, BlockMomentum(0.6), 3, PiecewisePeriod((1, 4), (3,)), 0.15
    ),
    "qsr, state, slowmo": (
        PLAIN, StateDependent(1.0, 1.0), Normal(1.0), SlowMo(0.6), 3,
        WarmUpPeriod(2, QuadraticSynchronization(alpha=0.3)), Piecewise((0.2, 0.1), (4,)),
    ),
}  # fmt: skip


def made(name, oracle=None):
    objective, noise, start, outer, P, K, gamma, *restart = CASES[name]
    method = Algorithm(P, K, gamma, outer, restart=restart[0] if restart else None)
    return Problem(objective, oracle or noise, start), method


def turned(objective, x):
    return objective.eigen_coordinates(x) if isinstance(objective, Quadratic) else x


def measured(problem, algorithm, seed, R=R):
    """Names to samples ``(N + 1, R)``: the series, w and w^2 by direction, and v at the end."""
    d = problem.objective.dim
    record = {}
    for i in range(d):
        record[f"w{i}"] = lambda n, w, i=i: turned(problem.objective, w)[:, i].copy()
        record[f"w{i}^2"] = lambda n, w, i=i: turned(problem.objective, w)[:, i] ** 2
    run = simulate(problem, algorithm, rounds=N, replicas=R, seed=seed, record=record)
    samples = dict(run.series)
    if algorithm.outer.memory:
        w, v = (turned(problem.objective, x) for x in (run.w, run.v))
        for i in range(d):
            samples[f"v{i}"], samples[f"v{i}^2"] = v[None, :, i], v[None, :, i] ** 2
            samples[f"w{i} v{i}"] = w[None, :, i] * v[None, :, i]
    return samples


def expected(problem, algorithm):
    """The same names to exact values, from moments and not from a run."""
    exact = exact_trajectory(problem, algorithm, N)
    found = moments(to_eigenbasis(problem, algorithm.P), algorithm, N)
    values = dict(exact.series)
    m, C = found.mean[-1], found.covariance[-1]
    for i in range(problem.objective.dim):
        values[f"w{i}"] = exact.mean[:, i]
        values[f"w{i}^2"] = exact.variance[:, i] + exact.mean[:, i] ** 2
        values[f"v{i}"] = m[i : i + 1, 1]
        values[f"v{i}^2"] = C[i : i + 1, 1, 1] + m[i : i + 1, 1] ** 2
        values[f"w{i} v{i}"] = C[i : i + 1, 0, 1] + m[i : i + 1, 0] * m[i : i + 1, 1]
    return values


def worst(samples, values):
    """The largest deviation in standard errors, and the limit at LEVEL over all comparisons."""
    # Where nothing is random only round-off is left.
    most, comparisons = 0.0, 0
    for name, x in samples.items():
        error = x.std(axis=1, ddof=1) / x.shape[1] ** 0.5
        deviation = np.abs(x.mean(axis=1) - values[name])
        fixed = error < 1e-10 * (1 + np.abs(values[name]))
        assert np.all(deviation[fixed] < 1e-9 * (1 + np.abs(values[name][fixed])))
        most = max(most, np.max(deviation[~fixed] / error[~fixed], initial=0.0))
        comparisons += np.count_nonzero(~fixed)
    return most, NormalDist().inv_cdf(1 - LEVEL / (2 * comparisons))


@pytest.mark.parametrize("name", CASES)
def test_replicas_agree_within_confidence(name):
    """Level 1e-3 for each case, over all rounds, quantities and directions (Bonferroni)."""
    problem, algorithm = made(name)
    most, limit = worst(measured(problem, algorithm, seed=11), expected(problem, algorithm))
    assert most < limit


@pytest.mark.parametrize(
    "wrong",
    [
        {"P": 4}, {"K": 5}, {"gamma": 0.16},
        {"outer": BlockMomentum(0.65)}, {"outer": NesterovMomentum(0.6)},
        {"outer": BlockMomentum(0.6, alpha=1.1)}, {"restart": 3},
    ],
    ids=str,
)  # fmt: skip
def test_the_comparison_sees_another_method(wrong):
    problem, algorithm = made("state, block")
    samples = measured(problem, algorithm, seed=11)
    most, limit = worst(samples, expected(problem, replace(algorithm, **wrong)))
    assert most > 2 * limit


@pytest.mark.parametrize(
    "wrong", [StateDependent(1.0, 1.3, B=2), StateDependent(1.2, 1.5, B=2), Gaussian(1.0, B=2)]
)
def test_the_comparison_sees_another_noise(wrong):
    problem, algorithm = made("state, block")
    samples = measured(problem, algorithm, seed=11, R=8000)
    most, limit = worst(samples, expected(replace(problem, oracle=wrong), algorithm))
    assert most > limit


@pytest.mark.parametrize("name", CASES)
def test_without_noise_runs_agree_to_round_off(name):
    for oracle in (Noiseless(), Shifted(2.0, seed=5)):
        problem, algorithm = made(name, oracle)
        problem = replace(problem, start=1.5)
        run = simulate(problem, algorithm, rounds=N)
        exact = exact_trajectory(problem, algorithm, N)
        for quantity, values in exact.series.items():
            scale = 1e-12 * max(1.0, np.abs(values).max())
            np.testing.assert_allclose(run.series[quantity][:, 0], values, rtol=1e-9, atol=scale)


def test_the_kept_rounds_are_those_of_a_run():
    problem, algorithm = made("block")
    run = simulate(problem, algorithm, rounds=7, every=3)
    exact = exact_trajectory(problem, algorithm, 7, every=3)
    whole = exact_trajectory(problem, algorithm, 7)
    np.testing.assert_array_equal(exact.rounds, run.rounds)
    np.testing.assert_array_equal(exact.F, whole.F[run.rounds])
    np.testing.assert_array_equal(exact.variance, whole.variance[run.rounds])
    for axis in ("rounds", "steps", "gradients", "communications"):
        np.testing.assert_array_equal(exact.axis(axis), run.axis(axis))
    with pytest.raises(KavgError, match="seconds"):
        exact.axis("seconds")


def test_a_long_run_rests_at_the_stationary_law():
    problem, algorithm = made("nesterov")
    exact = exact_trajectory(problem, algorithm, 300)
    directions = to_eigenbasis(problem, algorithm.P)
    rho = (1 - algorithm.gamma * directions.h) ** algorithm.K
    sums = sum((1 - algorithm.gamma * directions.h) ** (2 * t) for t in range(algorithm.K))
    q = algorithm.gamma**2 * directions.m_0 / algorithm.P * sums
    law = stationary.stationary_covariance(linear_rule(algorithm.outer, 0.2), rho, q)
    np.testing.assert_allclose(exact.variance[-1], law[:, 0, 0], rtol=1e-9)
    np.testing.assert_allclose(exact.F[-1], np.sum(directions.h * law[:, 0, 0]) / 2, rtol=1e-9)


class UnknownLaw:
    constants = plan = Gaussian(1.0).plan


class Elsewhere:
    def draw(self, seed, R, dim):
        return np.zeros((R, dim))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"objective": Cosine(dim=3)}, "Quadratic or Linear"),
        ({"oracle": MiniBatch(B=2)}, "isotropic"),
        ({"oracle": UnknownLaw()}, "isotropic"),
        ({"start": Elsewhere()}, "start"),
        ({"start": (1.0, 2.0)}, "start must be"),
    ],
    ids=["objective", "oracle", "unknown oracle", "start", "shape"],
)
def test_a_problem_without_exact_moments_is_refused_with_the_reason(change, reason):
    problem, algorithm = made("block")
    with pytest.raises(KavgError, match=reason):
        exact_trajectory(replace(problem, **change), algorithm, 3)


def test_one_learner_has_no_shift():
    problem, algorithm = made("shifted, odd")
    with pytest.raises(KavgError, match="P=1"):
        exact_trajectory(problem, replace(algorithm, P=1), 3)
    alike = replace(problem, oracle=Shifted(0.0, Gaussian(1.0)))
    assert exact_trajectory(alike, replace(algorithm, P=1), 3).dispersion.max() == 0


def test_shifts_of_many_learners_sum_to_zeta2():
    for P in (2, 3, 4097, 9001):
        problem = Problem(TURNED, Shifted(3.0), 0.0)
        assert to_eigenbasis(problem, P).zeta2.sum() == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(
    ("gamma", "K", "P", "mu", "others"),
    [(0.05, 1, 16, 0.83, (0.6, 0.93)), (0.05, 4, 4, 0.43, (0.1, 0.7))],
    ids=["K=1, P=16", "K=4, P=4"],
)
def test_simulation_at_two_cells_of_the_table_of_the_best_momentum(gamma, K, P, mu, others):
    """Exact means within limits, and paired runs prefer the best mu: level 1e-3 over each cell."""
    problem = Problem(Quadratic(LogSpectrum(0.01, 1.0, 20)), Gaussian(20.0), start=1.0)
    F = {}
    for each in (mu, *others):
        algorithm = Algorithm(P, K, gamma, BlockMomentum(each))
        F[each] = simulate(problem, algorithm, rounds=30, replicas=600, seed=5, every=30).F[-1]
        value = exact_trajectory(problem, algorithm, 30).F[-1]
        # Five comparisons: 3.72 standard errors leave 2e-4 for both tails of each.
        assert abs(F[each].mean() - value) < 3.72 * F[each].std(ddof=1) / 600**0.5
    for other in others:
        gain = F[other] - F[mu]
        assert gain.mean() > 3.72 * gain.std(ddof=1) / 600**0.5


@pytest.mark.parametrize("rule", [FedAdam(alpha=0.1), FedAdagrad(alpha=0.1)])
def test_adaptive_rules_have_no_exact_moments(rule):
    problem, algorithm = made("block")
    with pytest.raises(KavgError, match=r"rules with one array of memory, got Fed.* with 2"):
        exact_trajectory(problem, replace(algorithm, outer=rule), N)


def test_restarts_in_every_round_are_averaging():
    problem, algorithm = made("block")
    forgetful = exact_trajectory(problem, replace(algorithm, restart=1), N)
    averaging = exact_trajectory(problem, replace(algorithm, outer=Averaging()), N)
    np.testing.assert_allclose(forgetful.F, averaging.F, rtol=1e-14)


def test_restarts_have_no_stationary_law():
    problem, algorithm = made("block, alpha")
    stationary_values(problem, algorithm)
    with pytest.raises(KavgError, match="with restarts of the outer memory there is no stationary"):
        stationary_values(problem, replace(algorithm, restart=5))


@pytest.mark.parametrize("name", ["block, alpha", "look-ahead", "restarts", "linear, state"])
def test_averaged_iterates_agree_within_confidence(name):
    """Level 1e-3 for each case, over all rounds and series (Bonferroni)."""
    problem, algorithm = made(name)
    averages = [ExponentialMean(0.6), UniformMean(), SuffixMean(after=3)]
    run = simulate(problem, algorithm, rounds=N, replicas=R, seed=11, record=averages)
    exact = exact_trajectory(problem, algorithm, N, measures=averages)
    names = [each for average in averages for each in average.names]
    assert set(names) <= set(exact.series)
    samples = {each: run.series[each] for each in names}
    most, limit = worst(samples, exact.series)
    assert most < limit
    wrong = exact_trajectory(problem, algorithm, N, measures=[ExponentialMean(0.7, name="ema")])
    most, limit = worst({"F_ema": samples["F_ema"]}, wrong.series)
    assert most > limit


def test_the_average_of_a_run_without_noise_is_exact():
    problem, algorithm = made("block, alpha", oracle=Noiseless())
    averages = [ExponentialMean(0.6), UniformMean(), SuffixMean(after=3)]
    run = simulate(problem, algorithm, rounds=N, record=averages)
    exact = exact_trajectory(problem, algorithm, N, measures=averages)
    for name in ("F_ema", "grad_norm2_uniform", "F_suffix"):
        np.testing.assert_allclose(run.series[name][:, 0], exact.series[name], rtol=1e-10)
