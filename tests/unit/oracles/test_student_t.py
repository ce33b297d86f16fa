"""Student's t noise: the sample variance of heavy tails converges too slowly to be compared."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.addressed import word_by_hand
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import digamma

from kavg.objectives import Quadratic
from kavg.oracles import (
    StudentT,
)
from kavg.oracles.student_t import HeavyTails, mean_excess


@pytest.mark.parametrize("nu", [2.5, 3.0, 10.0])
def test_student_t_has_its_law(nu: float) -> None:
    tails = HeavyTails(nu=nu, seed=2, R=100, tile=20, d=100, dtype="float32")
    drawn = tails.draw(1, 1.0).ravel() / tails.unit * nu**0.5
    assert stats.kstest(drawn.astype(np.float64), stats.t(nu).cdf).pvalue > 1e-5


@pytest.mark.parametrize("nu", [2.5, 3.0, 10.0])
def test_student_t_is_scaled_to_variance_1_on_its_grid(nu: float) -> None:
    tails = HeavyTails(nu=nu, seed=2, R=1, tile=1, d=1, dtype="float64")
    assert tails.unit**2 * mean_excess(tails.power) / 2 == pytest.approx(1.0, rel=1e-12)
    assert tails.power == np.float32(-2 / nu)
    # The grid ends at 2^-32, so the continuum has this much more variance.
    nu = -2 / tails.power
    missing = (tails.unit**2 / (nu - 2) - 1) / 2.0 ** (-32 * (1 - 2 / nu))
    assert 0 < missing < 1


@given(st.floats(-1.0, -0.01), st.integers(1001, 20_000))
def test_the_mean_excess_is_that_of_the_grid(power: float, count: int) -> None:
    grid = (np.arange(count) + 0.5) / count
    expected = np.expm1(power * np.log(grid)).mean()
    assert mean_excess(power, float(count)) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("above", [1e-15, 1e-12, 1e-9, 1e-6, 1e-3])
def test_near_two_degrees_of_freedom_the_scale_is_that_of_the_draws(above: float) -> None:
    """The mean of 1/u over the grid is a difference of digammas, and that of u^power is near it."""
    tails = HeavyTails(nu=2.0 + above, seed=2, R=1, tile=1, d=1, dtype="float64")
    count, more = 2.0**31, tails.power + 1.0
    first = digamma(count + 0.5) - digamma(0.5)
    # E u^(more - 1) = E 1/u + more E log(u)/u + ...; the integral of log(u)/u is a square.
    k = np.arange(1000) + 0.5
    second = (np.log(k / count) / k).sum() - np.log(1000 / count) ** 2 / 2
    third = (np.log(k / count) ** 2 / k).sum() - np.log(1000 / count) ** 3 / 3
    expected = first - 1.0 + more * (second + more * third / 2)
    assert 2.0 / tails.unit**2 == pytest.approx(expected, rel=1e-8 + (22 * more) ** 3)


@pytest.mark.parametrize("nu", [1e9, 1e12, 1e17, 1e300])
def test_many_degrees_of_freedom_are_normal(nu: float) -> None:
    drawn = HeavyTails(nu=nu, seed=2, R=100, tile=20, d=100, dtype="float64").draw(1, 1.0).ravel()
    assert stats.kstest(drawn, "norm").pvalue > 1e-5
    # The mean excess is 2/nu where the power is small: variance 1 to all digits.
    assert mean_excess(-2e-12) == pytest.approx(2e-12, rel=1e-8)


@given(st.sampled_from([1, 2, 3, 10, 130]), st.integers(1, 4), st.integers(0, 10**6))
def test_a_plain_twin_is_as_near_as_float32(d: int, R: int, step: int) -> None:
    tails = HeavyTails(nu=3.0, seed=2, R=R, tile=2, d=d, dtype="float64")
    word = word_by_hand(2, 1, 1, step, R * d - 1)
    uniform, angle = ((word >> 33) + 0.5) / 2**31, (word & 0xFFFFFFFF) / 2**31
    expected = tails.unit * np.sqrt(uniform ** (-2 / 3) - 1) * np.cos(np.pi * angle)
    drawn = tails.draw(step, 1.0)[1, -1, -1]
    np.testing.assert_allclose(drawn, expected, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("nu", [2.5, 3.0])
def test_student_t_has_the_right_clipped_variance(nu: float) -> None:
    """Clipped at 5 deviations the square has all moments, and still feels the scale."""
    sigma2, B, d, cap = 12.0, 2, 3, 25.0
    law = StudentT(sigma2=sigma2, nu=nu, B=B)
    gradient = law.plan(Quadratic((0.5, 2.0, 3.0)), seed=5, P=6, R=50_000, tile=6)
    gradient.select(range(6))
    drawn = np.empty((6, 50_000, d))
    gradient(np.zeros_like(drawn), 0, drawn)
    clipped = np.minimum(np.square(drawn) * (B * d / sigma2), cap)
    unit = HeavyTails(nu=nu, seed=0, R=1, tile=1, d=1, dtype="float64").unit / nu**0.5

    def integrand(t: float) -> float:
        return float(2 * min((unit * t) ** 2, cap) * stats.t.pdf(t, nu))

    corner = cap**0.5 / unit
    expected = integrate.quad(integrand, 0, corner)[0] + 2 * cap * stats.t.sf(corner, nu)
    assert abs(clipped.mean() - expected) < 5 * clipped.std() / drawn.size**0.5
