"""What Theorem 1 would choose: the tuned step (C1), the best momentum (C3), the rule (C4)."""

from itertools import pairwise
from math import inf, isnan, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kavg.analysis.bounds import Setting
from kavg.analysis.bounds.corollaries import (
    largest_mu,
    tuned_bound,
    tuned_gamma,
    tuned_mu,
    tuning_trends,
)
from kavg.analysis.bounds.theorem_1 import Theorem1

ROOM = 1 + 1e-9


@st.composite
def settings(draw):
    """Settings whose step meets (C1) without momentum."""
    L = 10 ** draw(st.floats(-2, 2))
    setting = Setting(
        P=draw(st.integers(1, 64)),
        K=draw(st.integers(1, 32)),
        B=draw(st.integers(1, 16)),
        N=draw(st.integers(1, 10**5)),
        gamma=1.0,
        mu=0.0,
        L=L,
        Delta=10 ** draw(st.floats(-2, 2)),
        sigma2=10 ** draw(st.floats(-2, 2)),
    )
    share = 10 ** draw(st.floats(-4, 0))
    return setting.replace(gamma=share * Theorem1().largest_gamma(setting))


momenta = st.sampled_from([0.0, 0.5, 0.9]) | st.floats(0, 0.98)


def c_of(setting):
    return setting.c_K + setting.mu / (1 + setting.mu)


@given(settings(), momenta, st.floats(0.01, 1))
def test_no_admissible_step_has_smaller_first_two_terms(setting, mu, share):
    setting = setting.replace(mu=mu)
    other = Theorem1().value(setting.replace(gamma=share * Theorem1().largest_gamma(setting)))
    tuned = Theorem1().value(setting.replace(gamma=tuned_gamma(setting)))
    assert tuned.optimization + tuned.noise <= (other.optimization + other.noise) * ROOM


@given(settings(), momenta)
def test_the_tuned_bound_is_the_closed_form_of_C1(setting, mu):
    s = setting.replace(mu=mu)
    gamma = tuned_gamma(s)
    assert gamma <= Theorem1().largest_gamma(s)
    eta = sqrt(2 * s.Delta * s.P * s.B / (s.L * s.N * s.K * s.sigma2 * c_of(s)))
    if gamma == Theorem1().largest_gamma(s):
        assert (1 - mu) * eta >= gamma / ROOM
        return
    first = 2 * sqrt(2 * s.L * s.Delta * s.sigma2 * c_of(s) / (s.P * s.B * s.N * s.K))
    drift = s.L * s.Delta * s.P * (1 - mu) ** 2 * s.drift_factor / (s.N * s.K * c_of(s))
    assert gamma == pytest.approx((1 - mu) * eta, rel=1e-12)
    assert tuned_bound(s) == pytest.approx(first + drift, rel=1e-9)


@given(settings(), st.floats(0, 1))
def test_no_admissible_momentum_has_a_smaller_bound(setting, share):
    best, largest = tuned_mu(setting), largest_mu(setting)
    assert 0 <= best <= largest
    value = Theorem1().value(setting.replace(mu=best)).total
    assert value <= Theorem1().value(setting.replace(mu=share * largest)).total * ROOM


@given(settings())
def test_the_largest_momentum_is_where_C1_turns(setting):
    def met(mu):
        return Theorem1().conditions(setting.replace(mu=mu))[0].met

    u = 1 - largest_mu(setting)
    assert met(1 - u * (1 + 1e-9) if u * (1 + 1e-9) < 1 else 0.0)
    assert not met(1 - u * (1 - 1e-6))


@given(settings(), st.floats(0.01, 0.99))
def test_the_best_momentum_is_near_the_closed_form_of_C3(setting, share):
    """That holds c fixed; the derivative of the bound sees c between ``c_K + 1/2`` and 1 more."""

    def closed(s, more):
        noise = s.L * s.N * s.K * s.sigma2 * (s.c_K + more)
        return s.gamma * sqrt(noise / (2 * s.Delta * s.P * s.B))

    # Delta puts the middle of the closed forms somewhere within what (C1) allows.
    least = 1 - largest_mu(setting)
    target = least + share * (1 - least)
    s = setting.replace(Delta=setting.Delta * (closed(setting, 0.75) / target) ** 2)
    best = tuned_mu(s)
    if best == largest_mu(s):
        assert closed(s, 0.5) <= least * ROOM
    elif best == 0:
        assert closed(s, 1.0) >= 1 / ROOM
    else:
        assert closed(s, 0.5) / ROOM <= 1 - best <= closed(s, 1.0) * ROOM


@given(settings(), st.integers(2, 5))
def test_the_best_momentum_rises_with_P_and_B_and_falls_with_N_K_and_gamma(setting, times):
    best = tuned_mu(setting)
    for letter in ("P", "B"):
        assert (
            tuned_mu(setting.replace(**{letter: times * getattr(setting, letter)})) >= best - 1e-9
        )
    for letter in ("N", "K", "gamma"):
        other = tuned_mu(setting.replace(**{letter: times * getattr(setting, letter)}))
        assert isnan(other) or other <= best + 1e-9


@given(settings())
def test_no_momentum_helps_a_step_beyond_the_tuned_one(setting):
    """C3: 0 once gamma exceeds the tuned step of K-AVG."""
    tuned = tuned_gamma(setting)
    assume(1.01 * tuned <= Theorem1().largest_gamma(setting))
    assert tuned_mu(setting.replace(gamma=1.01 * tuned)) == 0.0


@given(settings(), st.integers(1, 64))
def test_the_rule_of_practice_C4(setting, P):
    """With mu = 1 - 1/P: optimization P times as fast, at the noise floor of one learner."""
    s = setting.replace(P=P, mu=1 - 1 / P)
    found = Theorem1().value(s)
    floor = s.L * s.gamma * s.sigma2 / s.B * (s.c_K + (P - 1) / (2 * P - 1))
    assert found.optimization == pytest.approx(2 * s.Delta / (s.N * s.K * P * s.gamma), rel=1e-9)
    assert found.noise == pytest.approx(floor, rel=1e-9)
    left = s.x * P * (3 * P - 2) + (s.L * s.gamma) ** 2 * s.K * (s.K - 1) / 2
    assert Theorem1().conditions(s)[0].left == pytest.approx(left, rel=1e-9)


def test_the_threshold_of_linear_speed_up():
    """C1: at T = (L Delta B/(8 sigma2)) P^3 (1-mu)^4 q^2/c^3 the two terms are equal."""
    s = Setting(64, 8, 2, 1, 1.0, 0.2, L=2.0, Delta=3.0, sigma2=1e-3)
    q, c = s.drift_factor, c_of(s)
    T = s.L * s.Delta * s.B / (8 * s.sigma2) * s.P**3 * (1 - s.mu) ** 4 * q**2 / c**3
    s = s.replace(N=round(T / s.K))
    assert tuned_gamma(s) < Theorem1().largest_gamma(s)
    found = Theorem1().value(s.replace(gamma=tuned_gamma(s)))
    assert found.optimization + found.noise == pytest.approx(found.drift, rel=1e-3)


@given(settings(), momenta)
def test_trends_are_the_tunings_at_changes_of_one_parameter(setting, mu):
    # The largest step without momentum may be far beyond (C1) with it.
    setting = setting.replace(mu=mu)
    found = tuning_trends(setting, factors=(1, 4))
    assert [(one.parameter, one.value) for one in found] == [
        (letter, getattr(setting, letter) * factor) for letter in "PKBN" for factor in (1, 4)
    ]
    for one in found:
        there = setting.replace(**{one.parameter: one.value})
        assert one.gamma == tuned_gamma(there)
        assert one.tuned == tuned_bound(there)
        np.testing.assert_equal(one.mu, tuned_mu(there))
        if one.mu >= 0:
            assert one.bound == Theorem1().value(there.replace(mu=one.mu)).total
        else:
            assert isnan(one.bound)


def test_more_learners_help_the_tuned_bound_until_drift():
    setting = Setting(1, 4, 1, 10**6, 1.0, 0.0, L=1.0, Delta=1.0, sigma2=1.0)
    tuned = [one.tuned for one in tuning_trends(setting) if one.parameter == "P"]
    for fewer, more in pairwise(tuned):
        assert 1.95 < (fewer / more) ** 2 < 2.0


@pytest.mark.parametrize("change", [{"L": inf}, {"L": nan}, {"sigma2": nan}, {"Delta": inf}])
def test_without_a_constant_nothing_is_chosen(change):
    setting = Setting(2, 2, 1, 9, 0.01, 0.0, L=1.0, Delta=1.0, sigma2=1.0).replace(**change)
    assert isnan(tuned_mu(setting))
    assert not tuned_bound(setting) < inf


def test_tuning_at_the_edges():
    setting = Setting(2, 2, 1, 9, 0.01, 0.0, L=1.0, Delta=1.0, sigma2=1.0)
    assert tuned_gamma(setting.replace(sigma2=0.0)) == Theorem1().largest_gamma(setting)
    assert tuned_mu(setting.replace(sigma2=0.0)) == largest_mu(setting)
    assert tuned_mu(setting.replace(Delta=0.0)) == 0.0
    assert isnan(tuned_mu(setting.replace(gamma=2.0)))
    assert isnan(largest_mu(setting.replace(gamma=2.0)))
    assert 0.999 < largest_mu(setting.replace(L=0.0)) < 1
