"""Exact moments: recursion, closed forms and brute force agree; section numbers: docs/theory.md."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.exact import AnchoredLookAhead, assert_close
from hypothesis import assume, given
from hypothesis import strategies as st

from kavg.analysis.exact import (
    best_momentum,
    eigen_problem,
    geometric_sum,
    linear_rule,
    moments,
    nesterov,
    stability_atlas,
    state_dependent,
    stationary,
)
from kavg.analysis.exact import heavy_ball as hb
from kavg.analysis.exact import heterogeneous as learners
from kavg.errors import KavgError
from kavg.outer import Averaging, BlockMomentum, NesterovMomentum, SlowMo
from kavg.problem import Algorithm

counts = st.integers(1, 9)
momenta = st.floats(0, 0.95)
steps = st.floats(0.01, 1.0)
curvatures = st.floats(-0.5, 2.0)
RULES = [Averaging(), BlockMomentum(0.6), NesterovMomentum(0.6), SlowMo(0.6, 0.8)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)


def one(h, rule, N, *, gamma=0.1, K=1, P=1, **problem):
    return moments(eigen_problem([h], **problem), Algorithm(P, K, gamma, rule), N)


# Rules as matrices


@given(rho=st.floats(-3, 3), mu=momenta, gamma=steps, alpha=st.floats(0.1, 3))
def test_matrices_are_those_of_the_theory(rho, mu, gamma, alpha):
    def matrix(outer):
        return linear_rule(outer, gamma).matrix([rho])[0]

    assert_close(matrix(Averaging()), [[rho, 0], [0, 0]])
    assert_close(matrix(BlockMomentum(mu)), [[rho, mu], [rho - 1, mu]])
    assert_close(matrix(NesterovMomentum(mu)), [[rho, mu * rho], [rho - 1, mu * rho]])
    a = alpha * gamma
    slow = [[1 + alpha * (rho - 1), -a * mu], [-(rho - 1) / gamma, mu]]
    np.testing.assert_allclose(matrix(SlowMo(mu, alpha)), slow, rtol=1e-9, atol=1e-9 / gamma)


@given(rho=st.floats(-3, 3), mu=momenta)
def test_polynomials_of_4_8(rho, mu):
    def polynomial(outer):
        return np.ravel(stationary.trace_and_determinant(linear_rule(outer, 1.0).matrix([rho])))

    assert_close(polynomial(NesterovMomentum(mu)), nesterov.polynomial(rho, mu))
    assert_close(polynomial(AnchoredLookAhead(mu)), nesterov.anchor_polynomial(rho, mu))
    assert_close(polynomial(BlockMomentum(mu)), (rho + mu, mu))


class Faulty(AnchoredLookAhead):
    def __init__(self, fault):
        super().__init__(0.5)
        self.fault = fault

    def step(self, w, v, displacement, gamma):
        w += self.fault(displacement)


@pytest.mark.parametrize(
    "fault",
    [
        lambda d: np.clip(d, -1e6, 1e6),
        lambda d: np.where(np.abs(d) < 1e-6, 0, d),
        np.abs,
        np.square,
        lambda d: d + 1,
        lambda d: d[:, ::-1],
        lambda d: d - d.mean(axis=-1, keepdims=True),
        lambda d: d / np.maximum(1e3, np.linalg.norm(d, axis=-1, keepdims=True)),
    ],
    ids=["clip", "threshold", "abs", "square", "shift", "swap", "centre", "normalise"],
)
def test_a_rule_that_is_not_linear_is_refused(fault):
    with pytest.raises(KavgError, match="not a linear rule"):
        linear_rule(Faulty(fault), 0.1)


# The recursion


@given(x=st.floats(-2, 2), K=st.integers(1, 40))
def test_geometric_sum(x, K):
    assert_close(geometric_sum(x, K), sum(x**t for t in range(K)), 1e-12)


@given(h=curvatures, gamma=steps, K=counts, P=counts, mu=momenta, s2=st.floats(0, 4))
def test_mean_variance_and_spread_of_4_1(h, gamma, K, P, mu, s2):
    found = one(h, BlockMomentum(mu), 20, gamma=gamma, K=K, P=P, m_0=s2, mean=1.5)
    rho, q = hb.contraction(gamma * h, K), hb.round_variance(gamma, h, K, P, s2)
    psi = hb.impulse_response(rho, mu, 20)
    earlier = np.concatenate(([0.0], psi[:-1]))
    scale = np.abs(psi).max() ** 2
    assert_close(found.w[:, 0] / scale, 1.5 * (psi - mu * earlier) / scale)
    power = q * np.concatenate(([0.0], np.cumsum(psi**2)[:-1]))
    assert_close(found.variance[:, 0] / scale, power / scale)
    assert_close(found.dispersion[1:], (1 - 1 / P) * P * q)
    assert found.dispersion[0] == 0


@given(h=curvatures, gamma=steps, K=counts, mu=momenta)
def test_slowmo_at_constant_gamma_is_block_momentum(h, gamma, K, mu):
    block = one(h, BlockMomentum(mu), 10, gamma=gamma, K=K, m_0=1.0, mean=1.0, variance=0.5)
    slow = one(h, SlowMo(mu), 10, gamma=gamma, K=K, m_0=1.0, mean=1.0, variance=0.5)
    units = np.array([1.0, -gamma])
    assert_close(slow.mean * units, block.mean)
    assert_close(slow.covariance * np.outer(units, units), block.covariance)


@every_rule
def test_directions_do_not_meet_under_additive_noise(rule):
    h, m_0 = [0.1, 0.7, -0.2], [1.0, 0.5, 2.0]
    method = Algorithm(3, 4, lambda n: 0.2 / n, rule)
    together = moments(eigen_problem(h, m_0=m_0, mean=1.0), method, 12)
    for i in range(3):
        alone = moments(eigen_problem(h[i : i + 1], m_0=m_0[i], mean=1.0), method, 12)
        assert_close(together.covariance[:, i], alone.covariance[:, 0], 1e-13)
        assert_close(together.mean[:, i], alone.mean[:, 0], 1e-13)


@every_rule
def test_shifts_add_to_the_spread_alone(rule):
    method = Algorithm(4, 5, 0.2, rule)
    plain = moments(eigen_problem([0.5, 0.0], m_0=1.0, mean=1.0), method, 6)
    shifted = moments(eigen_problem([0.5, 0.0], m_0=1.0, mean=1.0, zeta2=[2.0, 3.0]), method, 6)
    np.testing.assert_array_equal(plain.covariance, shifted.covariance)
    ends = [(1 - (1 - 0.2 * 0.5) ** 5) / 0.5, 0.2 * 5]
    added = 2.0 * ends[0] ** 2 + 3.0 * ends[1] ** 2
    assert_close(shifted.dispersion[1:] - plain.dispersion[1:], added)


@every_rule
def test_shifts_and_noise_that_sees_them_against_replicas(rule):
    """Noise with the variance ``m_0 + m_v ||grad f_j||^2``, learner by learner; level 1e-3."""
    h, slope, b = np.array([0.5, 1.0]), np.array([0.3, -0.2]), np.array([[2, 0], [-1, 1], [-1, -1]])
    m_0, m_v, gamma, K, R = 0.2, 0.3, 0.3, 3, 40_000
    problem = eigen_problem(
        h, slope=slope, m_0=m_0, m_v=m_v, zeta2=(b**2).mean(axis=0), mean=1.0, variance=0.3
    )
    exact = moments(problem, Algorithm(3, K, gamma, rule), 3)
    draw = np.random.default_rng(7)
    w = 1 + 0.3**0.5 * draw.standard_normal((R, 2))
    v, y = np.zeros_like(w), np.empty_like(w)
    for n in range(1, 4):
        rule.start(w, v, y)
        x = np.repeat(y[None], 3, axis=0)
        for _ in range(K):
            g = h * x + slope + b[:, None, :]
            deviation = np.sqrt(m_0 + m_v * (g**2).sum(axis=-1, keepdims=True))
            x = x - gamma * (g + deviation * draw.standard_normal(x.shape))
        mean = x.mean(axis=0)
        spread = ((x - mean) ** 2).sum(axis=-1).mean(axis=0)
        rule.step(w, v, mean - y, gamma)
        pairs = [(spread, exact.dispersion[n])]
        pairs += [(w[:, i], exact.w[n, i]) for i in (0, 1)]
        pairs += [((w[:, i] - exact.w[n, i]) ** 2, exact.variance[n, i]) for i in (0, 1)]
        for samples, value in pairs:
            # 15 comparisons: 4.15 standard errors leave 1e-3 / 30 in each tail.
            assert abs(samples.mean() - value) < 4.15 * samples.std() / R**0.5


def test_the_hand_path():
    hill = one(0.0, BlockMomentum(0.5), 3, gamma=1.0, K=3, slope=1.0)
    np.testing.assert_array_equal(hill.w[:, 0], [0, -3, -7.5, -12.75])


@given(mu=momenta, gamma=steps, K=counts, slope=st.floats(-2, 2))
def test_linear_path_of_4_5(mu, gamma, K, slope):
    found = one(0.0, BlockMomentum(mu), 30, gamma=gamma, K=K, slope=slope, m_0=1.0)
    n = np.arange(31)
    assert_close(found.w[:, 0], hb.linear_path(n, gamma=gamma, K=K, mu=mu, slope=slope))


def test_expectations_by_hand():
    problem = eigen_problem([2.0, 0.0], slope=[0.5, 3.0], mean=[1.0, -1.0], variance=[0.25, 4.0])
    start = moments(problem, Algorithm(1, 1, 0.1, Averaging()), 1)
    assert start.F(problem)[0] == 2.0 * 1.25 / 2 + 0.5 - 3.0
    assert start.grad_norm2(problem)[0] == 4.0 * 0.25 + 2.5**2 + 9.0


# At rest (4.3, 4.6, 4.8)


@given(rho=st.floats(-2.8, 0.99), mu=momenta, q=st.floats(0.01, 10))
def test_stationary_law(rho, mu, q):
    assume(hb.is_stable(rho, mu) and 1 + rho + 2 * mu > 1e-3)
    law = stationary.stationary_covariance(linear_rule(BlockMomentum(mu), 1.0), [rho], [q])[0]
    gain = hb.noise_gain(rho, mu)
    np.testing.assert_allclose(law[0, 0], q * gain, rtol=1e-9)
    np.testing.assert_allclose(law[1, 1], q * hb.momentum_gain(rho, mu), rtol=1e-9)
    # Cov(w_n, w_{n-1}) = Cov(w_n, w_n - v_n).
    np.testing.assert_allclose(
        law[0, 0] - law[0, 1],
        q * gain * hb.lag_correlation(rho, mu),
        rtol=1e-7,
        atol=1e-9 * q * gain,
    )


@given(rho=st.floats(-0.95, 0.99), mu=momenta)
def test_stationary_law_of_nesterov(rho, mu):
    assume(nesterov.is_nesterov_stable(rho, mu) and 1 + (1 + 2 * mu) * rho > 1e-3)
    law = stationary.stationary_covariance(linear_rule(NesterovMomentum(mu), 1.0), [rho], [1.0])
    np.testing.assert_allclose(law[0, 0, 0], nesterov.nesterov_noise_gain(rho, mu), rtol=1e-9)


@every_rule
def test_rounds_come_to_rest_at_the_stationary_law(rule):
    h, gamma, K, P = np.array([0.2, 1.0, 2.5]), 0.5, 3, 4
    found = moments(eigen_problem(h, m_0=2.0, mean=1.0), Algorithm(P, K, gamma, rule), 400)
    q = hb.round_variance(gamma, h, K, P, 2.0)
    law = stationary.stationary_covariance(linear_rule(rule, gamma), (1 - gamma * h) ** K, q)
    np.testing.assert_allclose(found.covariance[-1], law, rtol=1e-9, atol=1e-12)
    assert_close(found.mean[-1], 0)


@given(gamma=st.floats(0.05, 1.5), K=counts, mu=momenta)
def test_vif_is_the_ratio_to_averaging(gamma, K, mu):
    rho = hb.contraction(gamma, K)
    assume(rho < 0.999 and rho > -0.999)
    np.testing.assert_allclose(
        hb.noise_gain(rho, mu), hb.variance_inflation(rho, mu) * hb.noise_gain(rho, 0.0), rtol=1e-9
    )
    plain = hb.round_variance(gamma, 1.0, K, 3, 2.0) * hb.noise_gain(rho, 0.0)
    np.testing.assert_allclose(plain, gamma * 2.0 / (3 * (2 - gamma)), rtol=1e-9)
    assert hb.variance_inflation(rho, mu) <= 1 / (1 - mu) * (1 + 1e-12)


def test_no_stationary_law_where_unstable():
    with pytest.raises(KavgError, match=r"spectral radius is 1\.5,"):
        stationary.stationary_covariance(linear_rule(Averaging(), 1.0), [0.5, -1.5], [1.0, 1.0])


@given(
    gamma=st.floats(0.05, 0.8), K=st.integers(1, 6), P=counts,
    mu=st.floats(0, 0.8), m_v=st.floats(0, 1),
)  # fmt: skip
def test_second_moment_of_4_6(gamma, K, P, mu, m_v):
    h, m_0 = 1.5, 0.7
    law = state_dependent.state_dependent_noise(h=h, gamma=gamma, K=K, P=P, mu=mu, m_0=m_0, m_v=m_v)
    found = one(h, BlockMomentum(mu), 300, gamma=gamma, K=K, P=P, m_0=m_0, m_v=m_v, mean=1.0)
    square = found.variance[:, 0] + found.w[:, 0] ** 2
    psi = hb.impulse_response(hb.contraction(gamma * h, K), mu, 300)
    # The renewal equation of the proof, at n = 5.
    now = found.w[5, 0] ** 2 + np.sum(psi[:5] ** 2 * (law.q_0 + law.q_1 * square[4::-1]))
    np.testing.assert_allclose(square[5], now, rtol=1e-9)
    assume(abs(law.gain * law.q_1 - 1) > 0.3)
    assert law.is_stable == (square[300] < 10 * square[200] + 1e3 * m_0)
    if law.is_stable and law.gain * law.q_1 < 0.5:
        np.testing.assert_allclose(square[300], law.second_moment, rtol=1e-6)


def test_state_dependent_noise_without_slope_is_additive():
    law = state_dependent.state_dependent_noise(
        h=0.5, gamma=0.2, K=4, P=3, mu=0.5, m_0=2.0, m_v=0.0
    )
    assert law.q_1 == 0
    assert_close(law.q_0, hb.round_variance(0.2, 0.5, 4, 3, 2.0), 1e-14)
    fierce = state_dependent.state_dependent_noise(
        h=1.0, gamma=1.0, K=1, P=1, mu=0.0, m_0=1.0, m_v=1.5
    )
    assert not fierce.is_stable
    assert fierce.second_moment == np.inf


# Rates (4.4), learners that differ (4.7)


@given(rho=st.floats(-2.99, 0.999))
def test_best_momentum_against_brute_force(rho):
    grid = np.arange(10_000) / 10_000
    radii = hb.contraction_rate(rho, grid)
    assert abs(grid[np.argmin(radii)] - hb.best_mu(rho)) <= 2e-4
    assert hb.best_rate(rho) <= radii.min() + 1e-12
    assert_close(hb.contraction_rate(rho, hb.best_mu(rho)), hb.best_rate(rho), 1e-7)


@given(rho=st.floats(0, 0.999))
def test_best_momentum_of_nesterov_against_brute_force(rho):
    grid = np.arange(10_000) / 10_000
    radii = stationary.spectral_radius(*nesterov.polynomial(rho, grid))
    assert radii.min() >= hb.best_rate(rho) - 1e-12
    at_best = stationary.spectral_radius(*nesterov.polynomial(rho, nesterov.nesterov_best_mu(rho)))
    assert_close(at_best, hb.best_rate(rho), 1e-7)


@given(rho=st.floats(-2.5, 0.9), mu=st.floats(0, 0.9))
def test_energy_is_the_sum_over_rounds(rho, mu):
    assume(hb.is_stable(rho, mu) and hb.contraction_rate(rho, mu) < 0.96)
    w = one(1.0 - rho, BlockMomentum(mu), 600, gamma=1.0, mean=2.0).w[:, 0]  # .96^1200 < 1e-21
    np.testing.assert_allclose(np.sum(w**2), hb.energy(rho, mu, w_1=2.0), rtol=1e-12)


@given(gamma=st.floats(0.05, 0.9), K=counts, mu=st.floats(0, 0.9), seed=st.integers(0, 99))
def test_fixed_point_of_4_7(gamma, K, mu, seed):
    draw = np.random.default_rng(seed)
    h, c = draw.uniform(0.2, 1.0, 5), draw.normal(size=5)
    rest = learners.fixed_point(h, c, gamma, K)
    rho = learners.mean_contraction(h, gamma, K)
    w, v = rest + 1.0, 0.0
    psi = hb.impulse_response(rho, mu, 60)
    for n in range(60):
        x = np.full(5, w)
        for _ in range(K):
            x = x - gamma * h * (x - c)
        v = mu * v + x.mean() - w
        w = w + v
        assert_close(w - rest, psi[n + 1] - mu * psi[n])
    if K == 1:
        assert_close(rest, learners.optimum(h, c), 1e-12)


def test_the_bias_of_three_learners_comes_and_goes():
    h, c = [1.0, 2.0, 3.0], [1.0, -2.0, 1.0]
    bias = [abs(learners.fixed_point(h, c, 0.2, K) - learners.optimum(h, c)) for K in (1, 4, 400)]
    assert bias[0] < 1e-15 < 1e-3 < bias[1]
    assert bias[2] < 1e-12


# The tables of the theory


@pytest.mark.parametrize(
    ("h", "gamma", "K", "P", "mu", "rho", "share"),
    [
        (1.0, 0.3, 4, 4, 0.6, 0.2401, 1.00000),
        (2.0, 0.7, 3, 2, 0.5, -0.0640, 1.00000),
        (0.5, 0.05, 8, 8, 0.9, 0.8167, 0.93375),
        (1.0, 1.9, 1, 2, 0.4, -0.9000, 1.00000),
    ],
)
def test_variance_after_25_rounds(h, gamma, K, P, mu, rho, share):
    found = one(h, BlockMomentum(mu), 25, gamma=gamma, K=K, P=P, m_0=1.0, mean=1.0)
    contraction = hb.contraction(gamma * h, K)
    rest = hb.round_variance(gamma, h, K, P, 1.0) * hb.noise_gain(contraction, mu)
    assert round(float(contraction), 4) == rho
    assert round(float(found.variance[25, 0] / rest), 5) == share


BEST = {
    (0.05, 30, 1): (0.50, 0.73, 0.83, 0.86),
    (0.05, 30, 4): (0, 0.43, 0.70, 0.80),
    (0.05, 30, 16): (0, 0, 0.36, 0.64),
    (0.05, 200, 1): (0, 0.24, 0.60, 0.78),
    (0.05, 200, 4): (0, 0, 0.13, 0.49),
    (0.05, 200, 16): (0, 0, 0, 0),
    (0.20, 30, 1): (0, 0, 0.42, 0.69),
    (0.20, 30, 4): (0, 0, 0, 0.35),
}
BOWL = eigen_problem(np.geomspace(0.01, 1, 20), m_0=1.0, mean=1.0)


@pytest.mark.parametrize(("gamma", "N", "K"), BEST)
def test_the_table_of_the_best_momentum(gamma, N, K):
    best = best_momentum(BOWL, P=(1, 4, 16, 64), K=K, gamma=gamma, N=N)
    np.testing.assert_array_equal(best.mu, BEST[gamma, N, K])
    if (gamma, N, K) == (0.05, 30, 4):
        np.testing.assert_array_equal(best.F[2, [70, 0]].round(4), [0.0786, 0.1639])


@every_rule
def test_best_momentum_is_the_recursion_side_by_side(rule):
    def make(mu):
        return Averaging() if type(rule) is Averaging else type(rule)(mu)

    noisy = eigen_problem([0.1, 1.0], m_0=1.0, m_v=0.2, zeta2=0.5, mean=1.0)
    best = best_momentum(noisy, P=(2, 9), K=3, gamma=0.2, N=7, grid=[0.0, 0.3, 0.6], rule=make)
    for i, P in enumerate((2, 9)):
        for j, mu in enumerate((0.0, 0.3, 0.6)):
            alone = moments(noisy, Algorithm(P, 3, 0.2, make(mu)), 7).F(noisy)[-1]
            np.testing.assert_allclose(best.F[i, j], alone, rtol=1e-13)


@pytest.mark.parametrize(
    "call",
    [
        lambda: eigen_problem([]),
        lambda: eigen_problem([[1.0]]),
        lambda: eigen_problem([np.nan]),
        lambda: eigen_problem([1.0], m_0=-1.0),
        lambda: eigen_problem([1.0], mean=[1.0, 2.0]),
        lambda: eigen_problem([1.0], m_v=-1.0),
        lambda: one(1.0, Averaging(), 0),
        lambda: one(1.0, Averaging(), 3, zeta2=1.0),
        lambda: linear_rule(Averaging(), 0.0),
        lambda: stability_atlas(0, [1.0], [0.5]),
        lambda: stability_atlas(1, [1.0], [1.0]),
        lambda: stability_atlas(1, 1.0, [0.5]),
        lambda: best_momentum(BOWL, P=[], K=1, gamma=0.1, N=1),
        lambda: best_momentum(BOWL, P=[0], K=1, gamma=0.1, N=1),
        lambda: best_momentum(BOWL, P=[1], K=1, gamma=0.1, N=1, grid=[]),
    ],
)
def test_wrong_arguments_are_refused(call):
    with pytest.raises(KavgError):
        call()


def test_overflow_is_quiet_and_seen():
    wild = one(1.0, BlockMomentum(0.5), 500, gamma=9.0, K=3, m_0=1.0, mean=1.0)
    assert not np.isfinite(wild.variance[-1, 0])
