"""The ratio of independent means: where Welch's test turns, and what has no interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kavg.analysis.estimate import mean_interval
from kavg.analysis.fieller import ratio_interval, unpaired_ratio
from kavg.errors import KavgError


@given(st.integers(0, 2**32), st.integers(3, 30), st.integers(3, 30))
def test_the_interval_ends_where_welchs_statistic_turns(seed, R, S):
    random = np.random.default_rng(seed)
    a, b = random.normal(3.0, 1.0, R), random.normal(10.0, 1.0, S)
    found = unpaired_ratio(a, b, 0.9)
    ratio = a.mean() / b.mean()
    at_ratio = stats.ttest_ind(a, ratio * b, equal_var=False).df
    for end in (found.low, found.high):
        error = np.sqrt(a.var(ddof=1) / R + end**2 * b.var(ddof=1) / S)
        T = (a.mean() - end * b.mean()) / error
        assert abs(T) == pytest.approx(stats.t.ppf(0.95, at_ratio), rel=1e-6)
    assert found.low < found.mean < found.high


@given(st.sampled_from([-700, 700]))
def test_units_do_not_matter(power):
    a, b = np.array([1.0, 2.0, 4.0]), np.array([5.0, 5.5, 7.0, 6.0])
    plain = unpaired_ratio(a, b)
    scaled = unpaired_ratio(np.ldexp(a, power), np.ldexp(b, power))
    assert scaled.low == pytest.approx(float(plain.low))


@pytest.mark.parametrize("measure", [ratio_interval, unpaired_ratio])
def test_a_negative_mean_below_turns_the_interval_around(measure):
    a, b = np.array([1.0, 2.0, 4.0]), np.array([5.0, 5.5, 7.0])
    up, down = measure(a, b), measure(a, -b)
    assert down.low == pytest.approx(-up.high)
    assert down.low < down.mean < down.high


@given(st.integers(0, 2**32), st.integers(2, 12), st.sampled_from([1.0, 3.7, -2.0, 1e-5, 1e5]))
def test_a_multiple_of_the_baseline_has_an_interval_without_width(seed, R, factor):
    b = np.random.default_rng(seed).lognormal(size=R)
    found = ratio_interval(factor * b, b)
    # Where the mean of b may be 0 there is none.
    if mean_interval(b).low > 1e-6:
        assert found.low == pytest.approx(factor, rel=1e-9)
        assert found.high == pytest.approx(factor, rel=1e-9)


def test_what_has_no_interval():
    assert np.isnan(unpaired_ratio([1.0], [2.0, 3.0]).low)
    assert np.isnan(unpaired_ratio([1.0, 2.0, 3.0], [-1.0, 0.1, 1.0]).low)
    for measure in (ratio_interval, unpaired_ratio):
        assert np.isnan(measure([1.0, 2.0], [1.7e308, 1.7e308]).low)
    with pytest.raises(KavgError, match="two rows of replicas"):
        unpaired_ratio([], [1.0])
