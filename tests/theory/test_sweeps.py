"""Theorems against exact second moments: small versions of ``experiments/theory``."""

import numpy as np
import pytest
from helpers.experiment import experiment

from kavg.analysis.bounds import Setting
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.exact.heavy_ball import contraction, impulse_response, round_variance

exact_sweep, slowmo = experiment("theory/exact_sweep"), experiment("theory/slowmo")
QUADRATICS = exact_sweep.random_quadratics(300, seed=5)


@pytest.mark.parametrize("bound", exact_sweep.on_quadratics(), ids=lambda bound: bound.name)
def test_no_random_quadratic_exceeds_a_bound(bound):
    found = exact_sweep.ratios(bound, QUADRATICS)
    assert found.shape == (300,)
    assert np.isfinite(found).all()
    assert found.max() <= 1 + exact_sweep.ROUNDING
    # A bound far above everything would pass for no reason of its own.
    assert found.max() > 0.4


@pytest.mark.parametrize("bound", exact_sweep.on_quadratics(), ids=lambda bound: bound.name)
def test_no_quadratic_at_curvature_L_exceeds_a_bound(bound):
    for K, mu in ((1, 0.0), (2, 0.2), (8, 0.5), (3, 0.9)):
        quadratics = exact_sweep.grid(K, mu, rounds=(1, 4, 60))
        assert exact_sweep.ratios(bound, quadratics).max() <= 1 + exact_sweep.ROUNDING


# docs/theory.md, section 6.1, of Theorem 1: K, mu, and the worst ratio over gamma, N, noise, P.
WORST = [(1, 0.0, 1.0), (1, 0.2, 0.765), (1, 0.95, 0.668), (4, 0.0, 0.943), (32, 0.5, 0.724)]


@pytest.mark.parametrize(("K", "mu", "expected"), WORST)
def test_the_worst_ratios_of_theorem_1(K, mu, expected):
    worst = exact_sweep.ratios(Theorem1(), exact_sweep.grid(K, mu)).max()
    assert worst == pytest.approx(expected, abs=6e-4)


def one_dimension(setting, w_1=1.0):
    """A quadratic of curvature L from ``w_1``, with its own Delta."""
    array = np.ones((1, 1))
    own = setting.replace(Delta=setting.L * w_1**2 / 2)
    return exact_sweep.Quadratics(
        (own,), setting.L * array, w_1 * array, setting.sigma2 * array, np.ones(1)
    )


@pytest.mark.parametrize("N", [1, 2, 7, 1000])
def test_theorem_1_is_attained_without_noise(N):
    """K = 1, mu = 0, gamma = 1/L: the sum of squares is ``L^2 w_1^2``, which is ``2 L Delta``."""
    quadratic = one_dimension(Setting(4, 1, 1, N, 1.0, 0.0, L=3.0, Delta=0.0, sigma2=0.0), w_1=2.0)
    (setting,) = exact_sweep.asked(Theorem1(), quadratic)
    assert setting.gamma == pytest.approx(1 / 3, rel=1e-15)
    (found,) = exact_sweep.measured(Theorem1(), quadratic, (setting,))
    assert found == pytest.approx(36 / N, rel=1e-12)
    assert Theorem1().value(setting).total == pytest.approx(36 / N, rel=1e-12)


def test_theorem_1_is_attained_with_noise_in_the_limit():
    ratios = []
    for N in (1, 10, 1000):
        s = Setting(4, 1, 2, N, 1.0, 0.0, L=3.0, Delta=0.0, sigma2=5.0)
        quadratic = one_dimension(s, w_1=2.0)
        (setting,) = exact_sweep.asked(Theorem1(), quadratic)
        (found,) = exact_sweep.measured(Theorem1(), quadratic, (setting,))
        floor = 5.0 / 2 / 4
        assert found == pytest.approx((36 + (N - 1) * floor) / N, rel=1e-12)
        assert Theorem1().value(setting).total == pytest.approx(36 / N + floor, rel=1e-12)
        ratios.append(found / Theorem1().value(setting).total)
    assert ratios == sorted(ratios)
    assert ratios[-1] > 0.98


def test_a_step_beyond_the_condition_breaks_the_claim():
    """So the sweep can fail: at K = 1 and mu = 0 the condition is needed to the last bit."""
    setting = Setting(1, 1, 1, 200, 1.01, 0.0, L=1.0, Delta=0.5, sigma2=0.0)
    (found,) = exact_sweep.measured(Theorem1(), one_dimension(setting), (setting,))
    assert found > 1.009 * Theorem1().value(setting).total


def test_the_moments_of_the_sweep_are_those_of_the_exact_module():
    settings = exact_sweep.asked(Theorem1(), QUADRATICS)
    mean, last = exact_sweep.second_moments(QUADRATICS, settings)
    for i in range(0, 300, 11):
        s, h, w_1 = settings[i], QUADRATICS.h[i], QUADRATICS.w_1[i]
        rho = contraction(s.gamma * h, s.K)
        q = round_variance(s.gamma, h, s.K, s.P, QUADRATICS.s2[i] / s.B)
        psi = impulse_response(rho, s.mu, s.N)
        before = np.concatenate([np.zeros_like(psi[:1]), psi[:-1]])
        spread = np.concatenate([np.zeros_like(psi[:1]), np.cumsum(psi**2, axis=0)[:-1]])
        exact = (w_1 * (psi - s.mu * before)) ** 2 + q * spread
        np.testing.assert_allclose(mean[i], exact[:-1].mean(axis=0), rtol=1e-8, atol=1e-300)
        np.testing.assert_allclose(last[i], exact[-1], rtol=1e-6, atol=1e-12 * np.max(w_1**2))


def test_slowmo_as_printed_is_refuted_and_squared_is_not():
    """m = 4, tau = 8, beta = 0.8, T = 1024 without noise, the condition met with equality."""
    printed = slowmo.counterexample(slowmo.printed)
    assert slowmo.printed(printed).met
    assert slowmo.printed(printed).left == pytest.approx(1.0)
    assert not slowmo.squared(printed).met
    assert slowmo.ratio(printed) == pytest.approx(1.6094, abs=1e-4)
    squared = slowmo.counterexample(slowmo.squared)
    assert slowmo.squared(squared).met
    assert slowmo.ratio(squared) == pytest.approx(0.5789, abs=1e-4)
    assert slowmo.ratio(slowmo.counterexample(slowmo.printed, sigma2=1e-3)) > 1.4


def test_slowmo_over_random_settings():
    *_, above = slowmo.worst(slowmo.printed, count=150, seed=3)
    assert above > 5
    _, largest, above = slowmo.worst(slowmo.squared, count=150, seed=3)
    assert above == 0
    assert 0.5 < largest < 0.7


def test_both_scripts_agree_on_slowmo():
    """One loops over numbers and the other over arrays; they share no line."""
    (bound,) = (b for b in exact_sweep.on_quadratics() if b.name == "slowmo_squared")
    for case in slowmo.random_cases(12, seed=8):
        s = slowmo.at_equality(slowmo.Case(case.setting, h=1.0), slowmo.squared).setting
        quadratic = one_dimension(s)
        (found,) = exact_sweep.measured(bound, quadratic, quadratic.settings)
        own = quadratic.settings[0]
        ratio = slowmo.ratio(slowmo.Case(own, h=1.0))
        assert found / bound.value(own).total == pytest.approx(ratio, rel=1e-9)
