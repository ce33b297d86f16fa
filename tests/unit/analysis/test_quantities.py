"""Intervals of recorded quantities: within their ranges, and of accuracies those of shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kavg.analysis.estimate import mean_interval
from kavg.analysis.proportion import mean_share_interval
from kavg.analysis.quantities import quantity_interval

shares = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.integers(0, 6).map(lambda n: n / 6),
)


@given(shares, st.sampled_from([0.5, 0.95, 0.999]))
def test_an_accuracy_has_the_interval_of_a_mean_share_at_each_round(x, level):
    found = quantity_interval("held_out_accuracy", x, level)
    rows = [mean_share_interval(row, level) if np.ptp(row) else mean_interval(row) for row in x]
    np.testing.assert_array_equal(found.low, [row.low for row in rows])
    np.testing.assert_array_equal(found.high, [row.high for row in rows])
    assert found.mean.shape == found.low.shape == x.shape[:1]


@pytest.mark.parametrize(
    ("quantity", "samples", "low", "high"),
    [
        ("grad_norm2", [0.0, 0.0, 1.0], 0.0, None),
        ("dispersion", [1e-9, 1.0], 0.0, None),
        ("F", [0.0, 0.0, 1.0], None, None),
        ("spread_12", [0.0, 0.0, 1.0], 0.0, None),
        ("spread", [0.0, 0.0, 1.0], 0.0, None),
        ("grad_norm2_slow", [0.0, 0.0, 1.0], 0.0, None),
        ("hessian_trace", [0.0, 0.0, 1.0], 0.0, None),
        ("F_ema", [0.0, 0.0, 1.0], None, None),
        ("sharpness", [0.0, 0.0, 1.0], None, None),
        ("train_accuracy", [7.0, 9.0], None, None),
    ],
)
def test_an_interval_ends_where_its_quantity_does(quantity, samples, low, high):
    plain, cut = mean_interval(samples), quantity_interval(quantity, samples)
    assert cut.mean == plain.mean
    assert cut.low == (plain.low if low is None else low)
    assert cut.high == (plain.high if high is None else high)
    assert plain.low <= cut.low <= cut.mean <= cut.high <= plain.high


def test_replicas_that_are_all_at_1_have_no_width_as_any_that_agree():
    found = quantity_interval("held_out_accuracy", [[1.0] * 8, [0.9] * 8, [0.0] * 8])
    np.testing.assert_array_equal(found.low, found.mean)
    np.testing.assert_array_equal(found.high, found.mean)


def test_rows_that_are_no_shares_leave_the_others_alone():
    x = np.array([[0.9, 1.0, 0.95], [np.nan, 1.0, 0.5], [-0.2, 1.1, 1.0]])
    found, plain = quantity_interval("train_accuracy", x), mean_interval(x)
    assert found.low[0] == mean_share_interval(x[0]).low
    assert np.isnan(found.low[1])
    assert (found.low[2], found.high[2]) == (0.0, 1.0)
    assert plain.low[2] < 0


def test_an_accuracy_near_1_is_covered_as_often_as_said():
    # Of 50 held-out examples, at 8 replicas: Student's interval, cut, covers 83 %.
    p = np.random.default_rng(7).beta(198.0, 2.0, size=(4000, 8))
    samples = np.random.default_rng(8).binomial(50, p) / 50
    plain, found = mean_interval(samples), quantity_interval("held_out_accuracy", samples)
    held = [((each.low <= 0.99) & (each.high >= 0.99)).mean() for each in (plain, found)]
    # 4 standard errors below 0.95 are 0.936.
    assert held[0] < 0.9
    assert held[1] > 0.936
    assert (found.high <= 1).all()
