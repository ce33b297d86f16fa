"""Exact moments of linear local optimizers, against learners one by one and against runs."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from helpers.exact import assert_close

import kavg
from kavg import Algorithm, KavgError, Problem, simulate
from kavg.analysis.exact import eigen_problem
from kavg.analysis.exact.linear_steps import linear_step
from kavg.analysis.exact.methods import choose_moments
from kavg.analysis.exact.moment_recursion import collect_moments, iterate_moments
from kavg.analysis.exact.stationary_values import stationary_values
from kavg.analysis.exact.trajectory import exact_trajectory
from kavg.objectives import Linear, Quadratic
from kavg.optimizers import SGD, Adam, AdamW, HeavyBall, NesterovSteps
from kavg.oracles import Gaussian, Noiseless, Shifted, StateDependent
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.schedules import Piecewise

STATES = ("reset", "kept", "averaged")
OPTIMIZERS = {
    "heavy ball": lambda state: HeavyBall(0.6, state),
    "heavy ball, decay": lambda state: HeavyBall(0.6, state, weight_decay=0.3),
    "nesterov": lambda state: NesterovSteps(0.7, state),
    "nesterov, decay": lambda state: NesterovSteps(0.7, state, weight_decay=0.2),
}
each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)
each_state = pytest.mark.parametrize("state", STATES)


def moments(problem, algorithm, N):
    return collect_moments(choose_moments(algorithm)(problem, algorithm), N)


# --- learners one by one


def written_step(optimizer, h, gamma):
    """The matrix of a step on (x, m), and what a unit of gradient adds to it, from the papers."""
    beta, steep = optimizer.beta, h + optimizer.weight_decay
    if isinstance(optimizer, HeavyBall):
        return np.array([[1 - gamma * steep, -gamma * beta], [steep, beta]]), [-gamma, 1.0]
    ahead = gamma * (1 + beta)
    return np.array([[1 - ahead * steep, -gamma * beta**2], [steep, beta]]), [-ahead, 1.0]


class OneByOne:
    """(w, v) and every learner's (x, m) in one direction: mean and covariance, a map at a time."""

    def __init__(self, h, c, shifts, s2, w, method, mu):
        self.h, self.c, self.shifts, self.s2 = h, c, shifts, s2
        self.method, self.mu, self.P = method, mu, len(shifts)
        self.mean, self.covariance = np.zeros(2 + 2 * self.P), np.zeros([2 + 2 * self.P] * 2)
        self.mean[0] = w

    def apply(self, changes):
        """Replace components of the state by combinations of all: ``{row: {column: factor}}``."""
        matrix = np.eye(len(self.mean))
        for row, factors in changes.items():
            matrix[row] = 0
            for column, factor in factors.items():
                matrix[row, column] += factor
        self.mean, self.covariance = matrix @ self.mean, matrix @ self.covariance @ matrix.T

    def round(self, nesterov, gamma, K):
        """One round; return the expected dispersion at its end."""
        P, state = self.P, self.method.at_average
        xs, ms = [2 + 2 * j for j in range(P)], [3 + 2 * j for j in range(P)]
        start = {0: 1.0, 1: self.mu} if nesterov else {0: 1.0}
        self.apply(dict.fromkeys(xs, start))
        if state == "reset":
            self.apply({m: {} for m in ms})
        M, u = written_step(self.method, self.h, gamma)
        for _ in range(K):
            for x, m, b in zip(xs, ms, self.shifts, strict=True):
                self.apply({x: {x: M[0, 0], m: M[0, 1]}, m: {x: M[1, 0], m: M[1, 1]}})
                self.mean[[x, m]] += np.multiply(u, self.c + b)
                self.covariance[np.ix_([x, m], [x, m])] += self.s2 * np.outer(u, u)
        mean_x = dict.fromkeys(xs, 1 / P)
        spread = 0.0
        for x in xs:
            row = np.zeros(len(self.mean))
            row[xs] = -1 / P
            row[x] += 1.0
            spread += (row @ self.covariance @ row + (row @ self.mean) ** 2) / P
        if state == "averaged":
            self.apply(dict.fromkeys(ms, dict.fromkeys(ms, 1 / P)))
        # d = mean - start;  v = mu v + d;  w = start + d for Nesterov, w + v for block momentum.
        before = {0: -1.0, 1: -self.mu} if nesterov else {0: -1.0}
        moved = mean_x | before
        v = moved | {1: self.mu + moved.get(1, 0.0)}
        w = mean_x if nesterov else v | {0: 1.0 + v[0]}
        self.apply({0: w, 1: v})
        return spread


@each_optimizer
@each_state
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_recursion_is_that_of_learners_one_by_one(name, state, nesterov):
    h, slope, shifts, s2, mu = [0.7, -0.2], [0.4, -0.1], np.array([1.0, -2.0, 1.0]), [0.9, 0.3], 0.5
    problem = eigen_problem(h, m_0=s2, zeta2=np.mean(shifts**2), slope=slope, mean=[1.5, -1.0])
    rule, gammas = (NesterovMomentum if nesterov else BlockMomentum)(mu), (0.3, 0.1)
    optimizer = OPTIMIZERS[name](state)
    method = Algorithm(3, 3, Piecewise(gammas, (2,)), rule, optimizer=optimizer)
    found = moments(problem, method, 5)
    written = [
        OneByOne(*each, optimizer, mu)
        for each in zip(h, slope, [shifts] * 2, s2, (1.5, -1.0), strict=True)
    ]
    for n in range(1, 6):
        spreads = [one.round(nesterov, gammas[n > 2], 3) for one in written]
        assert_close(found.dispersion[n], sum(spreads), 1e-12)
        assert_close(found.mean[n, :, :2], [one.mean[:2] for one in written], 1e-12)
        square = [one.covariance[:2, :2] for one in written]
        assert_close(found.covariance[n, :, :2, :2], square, 1e-12)


@each_optimizer
def test_kept_and_averaged_slots_are_one_law_of_w(name):
    problem = eigen_problem([0.3, 1.0], m_0=1.0, zeta2=2.0, mean=1.0, variance=0.5)
    kept, averaged, reset = (
        moments(problem, Algorithm(4, 3, 0.1, SlowMo(0.5), optimizer=OPTIMIZERS[name](state)), 6)
        for state in ("kept", "averaged", "reset")
    )
    assert_close(kept.mean, averaged.mean, 1e-14)
    assert_close(kept.covariance, averaged.covariance, 1e-14)
    assert np.all(kept.dispersion[2:] > 1.01 * averaged.dispersion[2:])
    assert np.all(np.abs(reset.w[2:] - kept.w[2:]) > 1e-3)


def test_without_momentum_they_are_those_of_sgd():
    problem = eigen_problem([0.3, 1.0], m_0=1.0, zeta2=2.0, mean=1.0, variance=0.5)
    plain = collect_moments(iterate_moments(problem, Algorithm(4, 3, 0.1, BlockMomentum(0.5))), 6)
    for optimizer in (HeavyBall(0.0), NesterovSteps(0.0, "kept"), HeavyBall(0.0, "averaged")):
        found = moments(problem, Algorithm(4, 3, 0.1, BlockMomentum(0.5), optimizer=optimizer), 6)
        assert_close(found.mean[..., :2], plain.mean, 1e-13)
        assert_close(found.covariance[..., :2, :2], plain.covariance, 1e-13)
        assert_close(found.dispersion, plain.dispersion, 1e-13)
    shifted = eigen_problem([0.55, 1.25], m_0=1.0, zeta2=2.0, mean=1.0, variance=0.5)
    plain = collect_moments(iterate_moments(shifted, Algorithm(4, 3, 0.1, BlockMomentum(0.5))), 6)
    decayed = Algorithm(4, 3, 0.1, BlockMomentum(0.5), optimizer=SGD(weight_decay=0.25))
    assert_close(moments(problem, decayed, 6).covariance, plain.covariance, 1e-13)


# --- runs

LEVEL = 1e-3
TURNED = Quadratic((0.2, 1.0, 2.5), rotation_seed=3)
RUNS = {
    f"{name}, {state}": (optimizer(state), rule)
    for (name, optimizer), rule in zip(
        OPTIMIZERS.items(), (BlockMomentum(0.5), Averaging(), NesterovMomentum(0.6), SlowMo(0.4)),
        strict=True,
    )
    for state in STATES
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_without_noise_a_run_is_the_mean(name):
    optimizer, rule = RUNS[name]
    problem = Problem(TURNED, Shifted(2.0, Noiseless()), (1.0, -2.0, 0.5))
    method = Algorithm(4, 3, 0.1, rule, optimizer=optimizer)
    exact, run = exact_trajectory(problem, method, 8), simulate(problem, method, rounds=8)
    for quantity, values in exact.series.items():
        assert_close(run.series[quantity][:, 0], values, 1e-12)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_agrees_within_its_confidence(name):
    """F, the gradient and the dispersion of 8 rounds, all of them at the level of 0.1 %."""
    optimizer, rule = RUNS[name]
    problem = Problem(TURNED, Shifted(3.0, Gaussian(2.0, B=2), seed=4), 1.0)
    method = Algorithm(5, 3, 0.1, rule, optimizer=optimizer)
    exact = exact_trajectory(problem, method, 8)
    run = simulate(problem, method, rounds=8, replicas=2000, seed=11)
    deviations = []
    for quantity, values in exact.series.items():
        samples = run.series[quantity][1:]
        error = samples.std(axis=1, ddof=1) / samples.shape[1] ** 0.5
        deviations += [*(np.abs(samples.mean(axis=1) - values[1:]) / error)]
    assert max(deviations) < NormalDist().inv_cdf(1 - LEVEL / (2 * len(deviations)))


def test_a_run_on_a_slope_and_a_changing_period():
    problem = Problem(Linear(2, slope=-0.5), Noiseless(), 0.0)
    period = kavg.periods.PiecewisePeriod((1, 4), (2,))
    method = Algorithm(2, period, 0.2, SlowMo(0.5), optimizer=HeavyBall(0.8, "kept"))
    exact, run = exact_trajectory(problem, method, 6), simulate(problem, method, rounds=6)
    assert_close(run.series["F"][:, 0], exact.F, 1e-12)


# --- the stationary law


@each_optimizer
@each_state
def test_the_moments_approach_the_stationary_ones(name, state):
    problem = Problem(TURNED, Shifted(3.0, Gaussian(2.0), seed=4), 0.0)
    method = Algorithm(5, 3, 0.1, BlockMomentum(0.4), optimizer=OPTIMIZERS[name](state))
    late, still = exact_trajectory(problem, method, 600), stationary_values(problem, method)
    for quantity, value in still.items():
        assert_close(late.series[quantity][-1], value, 1e-10)


def test_the_variance_of_the_heavy_ball():
    """Docs/theory.md, 4.9: P learners are one with 1/P of the noise, whatever K is."""
    gamma, beta, h, s2 = 0.3, 0.6, 1.5, 2.0
    problem = Problem(Quadratic((h,)), Gaussian(s2), 0.0)
    for K, P, state in ((1, 1, "kept"), (4, 1, "averaged"), (4, 3, "kept"), (7, 3, "averaged")):
        method = Algorithm(P, K, gamma, Averaging(), optimizer=HeavyBall(beta, state))
        variance = gamma * (1 + beta) * s2 / (h * (1 - beta) * (2 * (1 + beta) - gamma * h)) / P
        assert_close(stationary_values(problem, method)["F"], h * variance / 2, 1e-12)


def test_an_unstable_optimizer_has_no_stationary_law():
    problem = Problem(Quadratic((1.0,)), Gaussian(1.0), 0.0)
    method = Algorithm(2, 1, 3.3, Averaging(), optimizer=HeavyBall(0.6, "kept"))
    with pytest.raises(KavgError, match="no stationary law: the spectral radius of a round is"):
        stationary_values(problem, method)


# --- refusals


@pytest.mark.parametrize(
    "optimizer", [Adam(), AdamW(at_average="kept"), SGD(clip=1.0), HeavyBall(0.5, clip=1e30)]
)
def test_steps_that_are_not_linear_are_refused(optimizer):
    problem = Problem(Quadratic((1.0,)), Gaussian(1.0), 0.0)
    method = Algorithm(2, 2, 0.1, Averaging(), optimizer=optimizer)
    words = rf"{type(optimizer).__name__}\(.*takes no linear step"
    with pytest.raises(KavgError, match=words):
        exact_trajectory(problem, method, 3)
    with pytest.raises(KavgError, match=words):
        stationary_values(problem, method)


class Aging:
    """A linear step whose factor depends on the age of its slots."""

    slots, at_average = 1, "reset"

    def plan(self, tile, R, d, dtype):
        def step(x, g, slots, gamma, age):
            slots[0] += g
            x -= gamma * slots[0] / age

        return step


class Mixing(Aging):
    """A linear step that mixes coordinates."""

    def plan(self, tile, R, d, dtype):
        def step(x, g, slots, gamma, age):
            x -= gamma * g[..., ::-1]

        return step


@pytest.mark.parametrize("optimizer", [Aging(), Mixing()])
def test_steps_of_users_are_tried(optimizer):
    with pytest.raises(KavgError, match="at every age and in every coordinate"):
        linear_step(optimizer, 0.1)


def test_noise_that_grows_with_the_gradient_is_refused():
    problem = Problem(Quadratic((1.0,)), StateDependent(1.0, 0.5), 0.0)
    method = Algorithm(2, 2, 0.1, Averaging(), optimizer=HeavyBall(0.5))
    with pytest.raises(KavgError, match=r"HeavyBall\(.* need noise that is the same everywhere"):
        exact_trajectory(problem, method, 3)
