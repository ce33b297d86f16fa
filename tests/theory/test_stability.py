"""Which steps are stable on quadratics: closed forms, brute force, atlas (docs/theory.md 4.2)."""

from __future__ import annotations

import time

import numpy as np
import pytest
from helpers.exact import AnchoredLookAhead, assert_close
from hypothesis import given
from hypothesis import strategies as st

from kavg.analysis.exact import heavy_ball as hb
from kavg.analysis.exact import (
    linear_rule,
    nesterov,
    stability_atlas,
    stationary,
)
from kavg.outer import (
    Averaging,
    BlockMomentum,
    NesterovLookAhead,
    NesterovMomentum,
    QuasiHyperbolic,
    SlowMo,
)

momenta = st.floats(0, 0.95)


@pytest.mark.parametrize(
    ("rule", "is_stable", "largest_gamma_h"),
    [
        (BlockMomentum, hb.is_stable, hb.largest_gamma_h),
        (NesterovMomentum, nesterov.is_nesterov_stable, nesterov.nesterov_largest_gamma_h),
    ],
    ids=["block", "nesterov"],
)
def test_stability_rule_against_eigenvalues(rule, is_stable, largest_gamma_h):
    draw = np.random.default_rng(1)
    mus = draw.uniform(0, 1, 400)
    for mu in mus:
        gamma_h = draw.uniform(-0.5, 5, (8, 64))
        K = np.arange(1, 9)[:, None]
        rho = (1 - gamma_h) ** K
        radius = np.abs(np.linalg.eigvals(linear_rule(rule(mu), 1.0).matrix(rho))).max(axis=-1)
        assert np.array_equal(radius < 1, is_stable(rho, mu))
        edge = np.array([largest_gamma_h(int(k), mu) for k in K[:, 0]])[:, None]
        assert np.array_equal(radius < 1, (gamma_h > 0) & (gamma_h < edge))


@given(mu=momenta, rho=st.floats(-3, 1.5))
def test_spectral_radius(mu, rho):
    A = linear_rule(BlockMomentum(mu), 1.0).matrix([rho])
    found = stationary.spectral_radius(*stationary.trace_and_determinant(A))[0]
    assert_close(found, hb.contraction_rate(rho, mu), 1e-7)
    # A double root is found by eigvals to half of the digits only.
    assert_close(found, np.abs(np.linalg.eigvals(A)).max(), 1e-7)


@given(mu=momenta, alpha=st.floats(0.1, 5))
def test_intervals_of_jury(mu, alpha):
    def interval(outer):
        return stationary.stability_interval(linear_rule(outer, 1.0))

    assert_close(interval(Averaging()), (-1, 1))
    assert_close(interval(BlockMomentum(mu)), (-(1 + 2 * mu), 1))
    assert_close(interval(NesterovMomentum(mu)), (-1 / (1 + 2 * mu), 1))
    assert_close(interval(SlowMo(mu, alpha)), (1 - 2 * (1 + mu) / alpha, 1))
    assert_close(interval(AnchoredLookAhead(mu)), (-1, 1))


@pytest.mark.parametrize("K", [1, 3, 4])
@pytest.mark.parametrize(
    "rule",
    [SlowMo(0.2, 5.0), SlowMo(0.5, 0.2), AnchoredLookAhead(0.5)],
    ids=["long outer step", "short outer step", "anchor"],
)
def test_where_stability_ends_for_good(rule, K):
    found = linear_rule(rule, 1.0)
    gamma_h = np.linspace(1e-4, 6, 5000)
    A = found.matrix((1 - gamma_h) ** K)
    stable = np.abs(np.linalg.eigvals(A)).max(axis=-1) < 1
    edge = stationary.largest_stable_gamma_h(found, K)
    assert gamma_h[stable].max() == pytest.approx(min(edge, 6), abs=2e-3)
    low, high = stationary.stability_interval(found)
    inside = (low < (1 - gamma_h) ** K) & ((1 - gamma_h) ** K < high)
    assert np.array_equal(stable, inside)
    assert stable[gamma_h < edge].all() == (K % 2 == 1 or low <= 0)


def test_a_rule_that_never_is_stable():
    interval = stationary.stability_interval(linear_rule(AnchoredLookAhead(1.2), 1.0))
    assert np.isnan(interval).all()


def test_atlas_and_its_boundary():
    # No cell on a boundary: there the last place decides.
    gamma_h, mu = np.linspace(-0.5, 5, 100) + np.pi / 1e4, np.linspace(0, 0.99, 100)
    began = time.perf_counter()
    charts = [
        stability_atlas(K, gamma_h, mu, rule)
        for K in (1, 2, 3, 8)
        for rule in (BlockMomentum, SlowMo)
    ]
    assert time.perf_counter() - began < 8
    charts += [stability_atlas(K, gamma_h, mu, NesterovMomentum) for K in (1, 2, 3, 8)]
    for chart in charts:
        inside = (gamma_h > 0) & (gamma_h < chart.boundary[:, None])
        assert np.array_equal(chart.stable, inside)
    assert_close(charts[0].boundary, hb.largest_gamma_h(1, mu))
    assert_close(charts[4].boundary, hb.largest_gamma_h(3, mu))
    assert_close(charts[-2].boundary, nesterov.nesterov_largest_gamma_h(3, mu))


@pytest.mark.parametrize(
    "rule",
    [
        lambda mu, alpha: Averaging(alpha),
        BlockMomentum,
        NesterovMomentum,
        NesterovLookAhead,
        SlowMo,
        lambda mu, alpha: QuasiHyperbolic(mu, 0.7, alpha),
    ],
)
@given(mu=momenta, alpha=st.floats(0.1, 2), rho=st.floats(-0.2, 0.9))
def test_an_outer_step_is_another_rho_and_another_noise(rule, mu, alpha, rho):
    moved = 1 - alpha * (1 - rho)
    one, other = (linear_rule(rule(mu, a), 1.0) for a in (alpha, 1.0))
    found = stationary.trace_and_determinant(one.matrix([rho]))
    expected = stationary.trace_and_determinant(other.matrix([moved]))
    assert_close(found, expected)
    if stationary.spectral_radius(*expected)[0] < 0.99:
        variance = stationary.stationary_covariance(one, [rho], [1.0])[0, 0, 0]
        theirs = stationary.stationary_covariance(other, [moved], [alpha**2])[0, 0, 0]
        assert variance == pytest.approx(theirs, rel=1e-6)


@given(mu=momenta, rho=st.floats(-0.2, 0.9))
def test_the_look_ahead_has_the_polynomial_of_nesterov(mu, rho):
    anchored, ahead = (linear_rule(rule(mu), 1.0) for rule in (NesterovMomentum, NesterovLookAhead))
    found = stationary.trace_and_determinant(ahead.matrix([rho]))
    assert_close(np.ravel(found), nesterov.polynomial(rho, mu))
    if stationary.spectral_radius(*found)[0] < 0.99:
        both = stationary.stationary_covariance(anchored, [rho], [1.0])[0]
        variance = stationary.stationary_covariance(ahead, [rho], [1.0])[0, 0, 0]
        assert variance == pytest.approx(anchored.start @ both @ anchored.start, rel=1e-6)


@given(mu=momenta, nu=st.floats(0, 1), rho=st.floats(-1, 1))
def test_the_polynomial_of_quasi_hyperbolic_momentum(mu, nu, rho):
    matrix = linear_rule(QuasiHyperbolic(mu, nu), 1.0).matrix([rho])
    trace, determinant = stationary.trace_and_determinant(matrix)
    assert_close(trace[0], 1 + mu - (1 - nu * mu) * (1 - rho))
    assert_close(determinant[0], mu * (1 - (1 - nu) * (1 - rho)))


def test_an_atlas_of_a_rule_with_an_outer_step():
    chart = stability_atlas(1, [1.0, 3.9, 4.1], [0.0], lambda mu: BlockMomentum(mu, alpha=0.5))
    assert chart.stable.tolist() == [[True, True, False]]
    assert_close(chart.boundary, [4.0])
