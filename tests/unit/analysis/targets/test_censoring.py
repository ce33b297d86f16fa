"""Times of which some are not seen: a published table, laws, and a mean up to a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kavg.analysis.estimate import mean_interval
from kavg.analysis.targets import median_time, restricted_mean
from kavg.errors import KavgError

# Weeks of remission under 6-MP of 21 patients; those still in remission are negative (Gehan 1965,
# Biometrika 52:203, table 1).
REMISSION = np.array(
    [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
)


def greenwood(times, reached, level):
    """The interval of the share at each arrival on the scale log(-log), written out."""
    from scipy.special import ndtri

    share, total = 1.0, 0.0
    for t in np.unique(times[reached]):
        n, d = int((times >= t).sum()), int((reached & (times == t)).sum())
        share, total = share * (1 - d / n), total + d / (n * (n - d)) if n > d else np.nan
        spread = ndtri(0.5 + level / 2) * np.sqrt(total) / abs(np.log(share)) if n > d else np.nan
        yield t, share, share ** np.exp(spread), share ** np.exp(-spread)


def test_the_median_of_a_published_table():
    times, reached = np.abs(REMISSION), REMISSION > 0
    found = median_time(times, reached)
    # Median 23 weeks; its interval begins at 13 and has no end (R survfit, conf.type log-log).
    assert (found.mean, found.low, found.high) == (23, 13, np.inf)
    rows = {t: share for t, share, *_ in greenwood(times, reached, 0.95)}
    expected = {6: 0.8571, 10: 0.7529, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    assert {t: round(rows[t], 4) for t in expected} == expected


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.95]))
def test_the_interval_is_that_of_greenwoods_variance(seed, level):
    random = np.random.default_rng(seed)
    times, reached = random.permutation(40)[:15] + 1, random.random(15) < 0.8
    reached[:2] = True
    rows = list(greenwood(times, reached, level))
    low = next((t for t, _, below, _ in rows if not below > 0.5), times.max())
    high = next((t for t, _, _, above in rows if above <= 0.5), np.inf)
    found = median_time(times, reached, level)
    assert (found.low, found.high) == (low, high)


@given(arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 9)), st.integers(0, 9))
def test_with_one_end_for_all_the_median_is_that_of_the_times(drawn, end):
    times, reached = np.minimum(drawn, end), drawn <= end
    found = median_time(times, reached)
    half = np.sort(drawn)[(len(drawn) - 1) // 2]
    assert found.mean == (half if half <= end else np.inf)
    assert found.low <= found.mean <= found.high
    assert found.low <= end


@pytest.mark.parametrize("n", [24, 38, 46])
def test_a_share_of_exactly_one_half_is_the_median_whatever_rounding_does(n):
    # The product of 23/24, 22/23, ..., 12/13 is 1/2, and rounded more than that.
    times = np.arange(1.0, n + 1)
    assert median_time(times, times <= n / 2).mean == n / 2


def test_none_and_all_arrived():
    none = median_time([4.0, 4.0, 4.0], [False] * 3)
    assert (none.mean, none.low, none.high) == (np.inf, 4.0, np.inf)
    same = median_time([4.0, 4.0, 4.0], [True] * 3)
    assert (same.mean, same.low) == (4.0, 4.0)


def test_the_restricted_mean_is_students_of_what_is_known():
    times, reached = np.array([3.0, 5.0, 9.0, 9.0]), np.array([True, True, False, False])
    for found, until in ((restricted_mean(times, reached), 9.0),
                         (restricted_mean(times, reached, until=4.0), 4.0)):  # fmt: skip
        expected = mean_interval(np.minimum(times, until))
        assert (found.mean, found.low) == (expected.mean, expected.low)
    assert restricted_mean([3.0, 5.0], [True, True]).mean == 4.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: restricted_mean([3, 5], [True, False], until=6.0), "from 0 to 5"),
        (lambda: restricted_mean([3, 5], [True, False], until=-1.0), "got until=-1"),
        (lambda: median_time([3, 5], [True]), r"\(2,\) and \(1,\)"),
        (lambda: median_time([3, 5], [1, 0]), "true or false"),
        (lambda: median_time([3, np.inf], [True, False]), "last time of a censored one"),
        (lambda: median_time([3], [True], level=1.0), "level=1"),
    ],
)
def test_wrong_times_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()
