"""Proportions and mean shares: SciPy's exact interval, and ends within [0, 1]."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from kavg.analysis.estimate import mean_interval
from kavg.analysis.proportion import mean_share_interval, proportion_interval
from kavg.errors import KavgError

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.floats(0.5, 0.999)


@given(counts, levels)
def test_the_interval_is_scipys_exact_one(count, level):
    k, n = count
    found = proportion_interval(k, n, level)
    expected = stats.binomtest(k, n).proportion_ci(level, method="exact")
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-9)
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize("n", [5, 20])
def test_it_covers_every_probability_as_often_as_it_claims(n):
    p = np.arange(1, 200) / 200
    ends = [proportion_interval(k, n, 0.9) for k in range(n + 1)]
    low, high = (np.array([float(getattr(e, end)) for e in ends]) for end in ("low", "high"))
    inside = (low <= p[:, None]) & (p[:, None] <= high)
    held = (inside * stats.binom.pmf(np.arange(n + 1), n, p[:, None])).sum(axis=1)
    assert held.min() >= 0.9


@given(arrays(np.float64, st.integers(2, 20), elements=st.integers(0, 8).map(lambda n: n / 8)))
def test_mean_shares_stay_within_0_and_1(shares):
    found = mean_share_interval(shares)
    assert 0 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1
    mirrored = mean_share_interval(1 - shares)
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)


def test_many_replicas_have_the_interval_of_students_t():
    shares = np.random.default_rng(2).uniform(0.3, 0.5, 2000)
    found = mean_share_interval(shares)
    half = stats.t.ppf(0.975, 1999) * shares.std(ddof=1) / np.sqrt(2000)
    assert found.high - found.mean == pytest.approx(half, rel=0.01)
    assert found.mean - found.low == pytest.approx(half, rel=0.01)


def test_few_replicas_are_fewer_trials():
    x = np.array([0.9, 1.0, 0.8, 1.0])
    m, error = x.mean(), x.std(ddof=1) / 2
    few = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 3)) ** 2
    n = few * m * (1 - m) / error**2
    found = mean_share_interval(x)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, m * n, n - m * n + 1))
    assert found.high == pytest.approx(stats.beta.ppf(0.975, m * n + 1, n - m * n))


def test_shares_that_are_all_1_are_as_many_trials_as_replicas():
    found, trials = mean_share_interval(np.ones(8)), proportion_interval(8, 8)
    assert (found.low, found.high) == (trials.low, trials.high)
    assert (found.low, found.high) == pytest.approx((0.025 ** (1 / 8), 1.0))


def test_equal_shares_have_no_width_and_one_replica_no_interval():
    equal = mean_share_interval([0.25, 0.25])
    assert equal.low == equal.high == 0.25
    assert np.isnan(mean_share_interval([0.25]).low)


@pytest.mark.parametrize("gap", [1e-16, 1e-12, 1e-10, 1e-6])
@pytest.mark.parametrize("m", [0.3, 0.5, 0.9])
def test_shares_that_hardly_differ_have_the_interval_of_students_t(m, gap):
    x = np.array([m, m + gap, m])
    found, plain = mean_share_interval(x), mean_interval(x)
    assert found.low <= found.mean <= found.high
    assert found.low == pytest.approx(plain.low, abs=1e-3 * gap)
    assert found.high == pytest.approx(plain.high, abs=1e-3 * gap)


def test_shares_next_to_0_keep_their_interval():
    found = mean_share_interval([0.0, 1e-300, 0.0])
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: proportion_interval(9, 8), "successes must be from 0 to 8, got successes=9"),
        (lambda: proportion_interval(-1, 8), "got successes=-1"),
        (lambda: proportion_interval(0, 0), "one trial or more"),
        (lambda: mean_share_interval([0.5, 1.5]), "from 0 to 1"),
        (lambda: mean_share_interval([]), "from 0 to 1"),
        (lambda: mean_share_interval([0.5, np.nan]), "from 0 to 1"),
        (lambda: mean_share_interval([0.5, 0.5], level=95), "level=95"),
    ],
)
def test_wrong_arguments_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()
