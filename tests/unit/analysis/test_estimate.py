"""Confidence limits over replicas: exact values, coverage, and what pairing buys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from kavg.analysis.estimate import mean_interval, paired_difference, unpaired_difference
from kavg.errors import KavgError

levels = st.floats(0.05, 0.995)
samples = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(2, 9)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(samples, levels)
def test_intervals_are_those_of_scipy(x, level):
    x = np.round(x, 3)  # the squares of smaller numbers underflow in scipy
    estimate = mean_interval(x, level)
    scale = stats.sem(x, axis=-1) * stats.t.ppf(0.5 + level / 2, x.shape[-1] - 1)
    size = np.abs(x).max() + 1e-300
    np.testing.assert_allclose(estimate.mean, x.mean(axis=-1), rtol=0, atol=1e-14 * size)
    np.testing.assert_allclose(estimate.high - estimate.mean, scale, rtol=1e-9, atol=1e-12 * size)
    np.testing.assert_allclose(estimate.mean - estimate.low, scale, rtol=1e-9, atol=1e-12 * size)


@given(samples, levels, st.sampled_from([-900, -600, 3, 600, 900]))
def test_a_power_of_two_scales_the_interval_without_under_or_overflow(x, level, power):
    x = np.round(x)
    scaled = mean_interval(np.ldexp(x, power), level)
    for part in ("mean", "low", "high"):
        expected = np.ldexp(getattr(mean_interval(x, level), part), power)
        np.testing.assert_array_equal(getattr(scaled, part), expected)


@given(samples, levels)
def test_a_paired_interval_is_that_of_the_differences_and_changes_sign(x, level):
    y = np.sin(x)
    forward, back = paired_difference(x, y, level), paired_difference(y, x, level)
    np.testing.assert_array_equal(forward.low, mean_interval(x - y, level).low)
    np.testing.assert_array_equal(forward.low, -back.high)


@given(samples)
def test_rows_do_not_depend_on_their_neighbours(x):
    whole = mean_interval(x)
    for i, row in enumerate(x):
        assert mean_interval(row).low.tobytes() == whole.low[i].tobytes()


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("R", [2, 5, 64])
def test_the_interval_covers_the_mean_as_often_as_it_claims(R, level):
    # A two-sided test at level 1e-6 for each case (exact binomial law), seeded.
    trials = 4000
    x = 3.0 + 0.5 * np.random.default_rng(20).standard_normal((trials, R))
    estimate = mean_interval(x, level)
    held = int(np.sum((estimate.low <= 3.0) & (estimate.high >= 3.0)))
    assert stats.binomtest(held, trials, level).pvalue > 1e-6


def test_shared_noise_cancels_in_the_paired_difference():
    noise = np.random.default_rng(3).standard_normal(64)
    paired = paired_difference(noise + 0.01, noise)
    assert paired.low > 0
    assert paired.high - paired.low < 1e-12
    alone = mean_interval(noise)
    assert alone.high - alone.low > 0.3


def test_three_replicas_by_hand():
    # s = 1, t(0.975, 2) = 4.302652729696142, half = t / sqrt(3).
    estimate = mean_interval([1.0, 2.0, 3.0])
    assert (float(estimate.mean), estimate.replicas, estimate.level) == (2.0, 3, 0.95)
    assert float(estimate.high) == pytest.approx(2 + 2.484137712, abs=1e-8)


def test_one_replica_gives_no_interval():
    estimate = mean_interval(np.array([[1.0], [2.0]]))
    np.testing.assert_array_equal(estimate.mean, [1.0, 2.0])
    assert np.isnan(estimate.low).all()
    assert np.isnan(estimate.high).all()


def test_values_that_are_not_finite_stay_in_their_row():
    x = np.array([[1.0, np.inf], [np.inf, -np.inf], [np.nan, 1.0], [1.0, 3.0]])
    estimate = mean_interval(x)
    assert np.isnan(estimate.low[:3]).all()
    assert np.isfinite(estimate.low[3])
    assert np.isnan(paired_difference(x, x).low[:3]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: paired_difference(np.ones(3), np.ones(4)), "got 3 and 4"),
        (lambda: paired_difference(np.ones(3), np.ones(1)), "got 3 and 1"),
        (lambda: paired_difference(np.ones((2, 3)), np.ones((5, 3))), r"\(2, 3\) and \(5, 3\)"),
        (lambda: mean_interval(np.ones((3, 0))), r"shape \(3, 0\)"),
        (lambda: mean_interval(1.0), r"shape \(\)"),
        (lambda: mean_interval([1.0, 2.0], 95), "level=95"),
        (lambda: mean_interval([1.0, 2.0], float("nan")), "level=nan"),
    ],
)
def test_wrong_arguments_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10_000), levels)
def test_an_unpaired_interval_is_welchs(R, S, seed, level):
    random = np.random.default_rng(seed)
    a, b = random.normal(3.0, 2.0, (2, R)), random.normal(1.0, 0.5, (2, S))
    found = unpaired_difference(a, b, level)
    expected = stats.ttest_ind(a, b, axis=-1, equal_var=False).confidence_interval(level)
    np.testing.assert_allclose(found.low, expected.low, rtol=1e-9)
    np.testing.assert_allclose(found.high, expected.high, rtol=1e-9)
    assert found.replicas == min(R, S)


def test_an_unpaired_interval_of_extreme_or_equal_replicas():
    tiny = unpaired_difference(np.ldexp([1.0, 2.0, 4.0], -900), np.ldexp([1.0, 3.0], -900))
    plain = unpaired_difference([1.0, 2.0, 4.0], [1.0, 3.0])
    assert tiny.low == np.ldexp(plain.low, -900)
    equal = unpaired_difference([2.0, 2.0], [1.0, 1.0, 1.0])
    assert equal.low == equal.mean == equal.high == 1.0
    assert np.isnan(unpaired_difference([2.0], [1.0, 2.0]).low)
    assert np.isnan(unpaired_difference([np.inf, 1.0], [1.0, 2.0]).low)
    with pytest.raises(KavgError, match=r"\(2, 3\) and \(5, 3\); axes before the last"):
        unpaired_difference(np.ones((2, 3)), np.ones((5, 3)))
