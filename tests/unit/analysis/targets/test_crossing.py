"""The time of one curve: laws of the three rules, and values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kavg.analysis.targets import find_time, fit_decreasing
from kavg.errors import KavgError

RULES = ("isotonic", "stays", "first")
any_rule = pytest.mark.parametrize("rule", RULES)
curves = arrays(np.float64, st.integers(1, 30), elements=st.integers(-8, 8).map(lambda n: n / 4))
values = st.integers(-8, 8).map(lambda n: n / 4)


@given(curves)
def test_the_fit_is_the_decreasing_curve_of_the_max_min_formula(curve):
    # g_i = max over j >= i of min over h <= i of the mean of h..j (Barlow et al. 1972).
    T = len(curve)
    mean = lambda h, j: curve[h : j + 1].mean()  # noqa: E731
    expected = [max(min(mean(h, j) for h in range(i + 1)) for j in range(i, T)) for i in range(T)]
    np.testing.assert_allclose(fit_decreasing(curve), expected, atol=1e-12)


@given(curves, values)
@any_rule
def test_a_higher_curve_arrives_later_and_a_higher_target_sooner(rule, curve, value):
    axis = np.arange(len(curve))
    time = find_time(axis, curve, value, rule)
    assert find_time(axis, curve + 0.25, value, rule) >= time - 1e-9
    assert find_time(axis, curve, value + 0.25, rule) <= time + 1e-9


@given(curves, values, st.sampled_from([0.5, 3.0, 64.0]))
@any_rule
def test_the_unit_of_the_axis_does_not_matter(rule, curve, value, unit):
    axis = np.arange(len(curve))
    assert find_time(unit * axis, curve, value, rule) == pytest.approx(
        unit * find_time(axis, curve, value, rule)
    )


@given(curves, values)
def test_the_rules_are_ordered(curve, value):
    axis = np.arange(len(curve))
    times = {rule: find_time(axis, curve, value, rule) for rule in RULES}
    assert times["first"] <= times["stays"]
    # The decreasing fit is at most the target only after the curve was there once.
    assert times["first"] <= times["isotonic"] + 1


@given(curves, values)
def test_on_a_decreasing_curve_isotonic_is_first_less_than_a_record_before(curve, value):
    axis, curve = np.arange(len(curve)), np.sort(curve)[::-1]
    first, crossing = find_time(axis, curve, value, "first"), find_time(axis, curve, value)
    assert first == crossing == np.inf or first - 1 < crossing <= first


def test_the_crossing_by_hand():
    # Between round 2 (3) and round 4 (1) on a straight line: 2 at round 3.
    assert find_time([0, 2, 4], [8.0, 3.0, 1.0], 2.0) == 3.0
    # 1, 5 pool to 3, so the dip to 1 at round 1 does not count: from 3 at round 2 to 0 at 3.
    assert find_time([0, 1, 2, 3], [9.0, 1.0, 5.0, 0.0], 1.5) == 2.5
    assert find_time([0, 1, 2, 3], [9.0, 1.0, 5.0, 0.0], 1.5, "first") == 1.0
    assert find_time([5.0, 6.0], [1.0, 0.0], 1.0) == 5.0


def test_a_curve_stays_for_half_its_age_and_five_records():
    axis = np.arange(0, 41)
    curve = np.where((axis >= 4) & (axis != 8), 0.0, 9.0)
    # From 4 on it would have to stay to 9; from 9 on it stays to 14.
    assert find_time(axis, curve, 1.0, "stays") == 9.0
    late = np.where(axis >= 26, 0.0, 9.0)
    # 26 asks for the rounds to 39, of 41; 27 rounds of fewer records are too few to say.
    assert find_time(axis, late, 1.0, "stays") == 26.0
    assert find_time(axis[:39], late[:39], 1.0, "stays") == np.inf
    back = np.where((axis >= 20) & (axis != 30), 0.0, 9.0)
    assert find_time(axis, back, 1.0, "stays") == np.inf  # 31 asks for the rounds to 46
    assert find_time(axis, np.where(axis == 31, 9.0, back), 1.0, "first") == 20.0


def test_a_swing_through_the_target_is_no_arrival():
    rounds = np.arange(80)
    swing = np.abs(np.cos(rounds * np.pi / 26)) * np.exp(-rounds / 30)
    assert find_time(rounds, swing, 0.05, "first") == 13
    assert find_time(rounds, swing, 0.05) > 60


def test_values_that_are_not_finite_are_above():
    assert find_time(range(4), [1.0, np.nan, np.inf, np.nan], 2.0, "first") == 0.0
    assert find_time(range(4), [9.0, np.nan, np.inf, 0.0], 2.0, "first") == 3.0
    assert 2 < find_time(range(4), [9.0, np.nan, np.inf, 0.0], 2.0) <= 3
    assert find_time(range(3), [np.nan] * 3, 2.0) == np.inf


@pytest.mark.parametrize(
    ("axis", "curve", "rule", "words"),
    [
        ([0, 1], [1.0], "first", r"\(2,\) and \(1,\)"),
        ([], [], "first", "one value for each place"),
        ([0, 0], [1.0, 1.0], "first", "must increase"),
        ([0, np.nan], [1.0, 1.0], "first", "must increase"),
        ([0, 1], [1.0, 1.0], "last", "rule must be one of isotonic, stays, first, got 'last'"),
    ],
)
def test_wrong_curves_are_refused(axis, curve, rule, words):
    with pytest.raises(KavgError, match=words):
        find_time(axis, curve, 1.0, rule)
