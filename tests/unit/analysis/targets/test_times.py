"""The time of a mean: laws, the inverted test, censoring; ratios of two times and their words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.analysis.targets import (
    compare_times,
    describe_ratio,
    find_time,
    fit_decreasing,
    measure_time,
)
from kavg.analysis.targets.crossing import pool_rounds
from kavg.errors import KavgError

ROUNDS = np.arange(60)
RULES = ("isotonic", "stays", "first")
seeds = st.integers(0, 10_000)


def decays(seed, half=5.0, R=6, noise=0.2):
    """``2^(-n/half)`` with a factor for each replica, and noise for each number."""
    random = np.random.default_rng(seed)
    factor = np.exp(noise * random.standard_normal(R))
    curve = 0.5 ** (ROUNDS[:, None] / half) * factor
    return curve * np.exp(noise * random.standard_normal(curve.shape))


@given(seeds, st.floats(0.001, 1.0), st.sampled_from(RULES))
def test_the_interval_holds_the_estimate_and_grows_with_the_level(seed, value, rule):
    x = decays(seed)
    narrow, wide = (measure_time(ROUNDS, x, value, rule=rule, level=p) for p in (0.8, 0.95))
    assert wide.estimate.low <= narrow.estimate.low <= narrow.estimate.mean
    assert narrow.estimate.mean <= narrow.estimate.high <= wide.estimate.high
    assert wide.bounds[0] <= wide.estimate.low
    assert wide.estimate.high <= wide.bounds[1]
    half = measure_time(ROUNDS, x, value, rule=rule, level=0.975).estimate
    assert wide.bounds == (half.low, half.high)


@given(seeds, st.floats(0.001, 1.0), st.sampled_from(RULES))
def test_an_increasing_quantity_is_a_decreasing_one_upside_down(seed, value, rule):
    x = decays(seed)
    down = measure_time(ROUNDS, x, value, rule=rule)
    up = measure_time(ROUNDS, 1 - x, 1 - value, rule=rule, increasing=True)
    np.testing.assert_allclose(up.times, down.times, atol=1e-6)
    assert up.estimate.low == pytest.approx(float(down.estimate.low), abs=1e-6)


@given(seeds, st.sampled_from([0.01, 0.1, 0.5]))
def test_replicas_are_read_by_the_same_rule_and_their_values_at_the_time_have_the_target_as_mean(
    seed, value
):
    x = decays(seed)
    found = measure_time(ROUNDS, x, value)
    for r in range(x.shape[1]):
        alone = find_time(ROUNDS, x[:, r], value)
        assert found.times[r] == min(alone, ROUNDS[-1])
        assert found.reached[r] == np.isfinite(alone)
    if np.isfinite(found.estimate.mean) and found.estimate.mean > 0:
        assert found.at_target.mean() == pytest.approx(value)


def test_the_first_rule_inverts_the_test_at_each_round():
    x = decays(3)
    found = measure_time(ROUNDS, x, 0.1, rule="first", level=0.9).estimate
    p = stats.ttest_1samp(x, 0.1, axis=1).pvalue
    undecided = ROUNDS[(p > 0.1) | (x.mean(axis=1) <= 0.1)]
    assert found.low == undecided[0]
    assert found.high == ROUNDS[np.argmax(mean_interval(x, 0.9).high <= 0.1)]


def test_pooled_rounds_are_the_fit_of_the_mean_replica_by_replica():
    x = decays(7, half=1e9)
    pooled = pool_rounds(x)
    np.testing.assert_allclose(pooled.mean(axis=1), fit_decreasing(x.mean(axis=1)))
    starts = np.flatnonzero(np.diff(pooled[:, 0], prepend=np.nan) != 0)
    assert 1 < len(starts) < 30
    for i, j in zip(starts, [*starts[1:], len(x)], strict=True):
        np.testing.assert_allclose(pooled[i], x[i:j].mean(axis=0))


def test_pooling_gives_an_end_where_a_single_round_has_none():
    # A plateau at 1 from round 20 on, whose rounds are independent, and a target 15 % above it.
    noise = 0.4 * np.random.default_rng(8).standard_normal((400, 8))
    x = 1 + np.maximum(4 - np.arange(400)[:, None] / 5, 0.0) + noise
    pooled, single = (measure_time(np.arange(400), x, 1.15, rule=r) for r in ("isotonic", "stays"))
    assert 15 < pooled.estimate.low < pooled.estimate.high < 40
    assert single.estimate.high == np.inf


def test_replicas_that_agree_leave_no_width():
    x = 0.5 ** (ROUNDS[:, None] / 5.0) * np.ones(4)
    found = measure_time(ROUNDS, x, 0.25)
    assert float(found.estimate.mean) == pytest.approx(10.0)
    assert found.estimate.low == found.estimate.mean == found.estimate.high
    faster = measure_time(ROUNDS, 0.5 ** (ROUNDS[:, None] / 2.0) * np.ones(4), 0.25)
    ratio = compare_times(found, faster, paired=True)
    assert ratio.low == ratio.mean == ratio.high
    assert describe_ratio(ratio) == "2.50 [2.50, 2.50]"


def test_one_replica_has_a_time_and_no_interval():
    found = measure_time(ROUNDS, decays(1, R=1), 0.1)
    assert np.isfinite(found.estimate.mean)
    assert np.isnan(found.estimate.low)
    ratio = compare_times(found, found, paired=True)
    assert ratio.mean == 1
    assert np.isnan(ratio.low)


def test_a_mean_that_does_not_arrive_is_beyond_the_records():
    x = decays(5) + 1.0
    found = measure_time(ROUNDS, x, 0.5)
    assert found.estimate.mean == found.estimate.high == np.inf
    assert found.estimate.low == found.censored_at == ROUNDS[-1]
    assert not found.reached.any()
    assert (found.times == ROUNDS[-1]).all()


def test_by_the_rule_stays_nothing_is_known_of_the_last_third():
    # All replicas are at the target from round 50 on, which 60 rounds cannot tell.
    def curve(last, arrival):
        return np.where(np.arange(last + 1)[:, None] < arrival, 1.0, 0.0) * np.ones(4)

    late, soon, whole = (
        measure_time(np.arange(last + 1), curve(last, arrival), 0.5, rule="stays")
        for last, arrival in ((60, 50), (60, 20), (99, 50))
    )
    assert late.censored_at == late.estimate.low == late.bounds[0] == 40
    assert not late.reached.any()
    assert (late.times == 40).all()
    assert whole.estimate.mean == 50
    # More records show the ratio, and its lower limit must not be above it.
    assert describe_ratio(compare_times(late, soon, paired=False)) == "at least 2"
    assert describe_ratio(compare_times(whole, soon, paired=False)) == "2.50 [2.50, 2.50]"


def test_a_finite_mean_whose_spread_overflows_may_be_anywhere():
    x = np.array([[16.0] * 3, [1.7e308, -1.7e308, 24.0], [0.0] * 3])
    found = measure_time(np.arange(3), x, 1.0, rule="first").estimate
    # At round 1 the mean is 8, and no interval is known.
    assert (found.low, found.mean, found.high) == (1, 2, 2)


def test_a_mean_near_the_target_may_not_arrive():
    random = np.random.default_rng(8)
    x = np.maximum(1 - ROUNDS[:, None] / 20, 0.0) + 0.3 * random.standard_normal((1, 8))
    found = measure_time(ROUNDS, x, float(x[-1].mean()) + 0.01).estimate
    assert found.low < found.mean < np.inf == found.high


def test_a_replica_that_overflows_takes_the_mean_along_and_no_other_replica():
    x = decays(2)
    x[30:, 0] = np.inf
    found = measure_time(ROUNDS, x, 0.25)
    assert found.estimate.mean == np.inf
    assert found.reached.tolist() == [False, True, True, True, True, True]
    assert found.estimate.low == found.censored_at


@given(seeds)
def test_a_ratio_and_its_inverse_are_inverse(seed):
    a, b = (measure_time(ROUNDS, decays(seed + i, half), 0.1) for i, half in ((0, 9.0), (1, 3.0)))
    for paired in (True, False):
        forward, back = compare_times(a, b, paired=paired), compare_times(b, a, paired=paired)
        assert forward.mean == pytest.approx(1 / back.mean)
        assert forward.low == pytest.approx(1 / back.high)
        assert forward.low <= forward.mean <= forward.high


def test_a_ratio_of_means_of_logs_has_students_interval():
    # On exp(-n) e_r every time is log(e_r) later, so the interval is that of a mean, nearly.
    random = np.random.default_rng(4)
    e = np.exp(0.01 * random.standard_normal((2, 12)))
    fine = np.linspace(0, 8, 4001)
    a, b = (measure_time(fine, np.exp(-fine[:, None]) * row, 0.01) for row in e)
    paired = compare_times(a, b, paired=True)
    expected = mean_interval(e[0] / a.estimate.mean - e[1] / b.estimate.mean)
    half = np.log(paired.high / paired.mean)
    assert half == pytest.approx(expected.high - expected.mean, rel=0.05)
    apart = compare_times(a, b, paired=False)
    each = [mean_interval(row) for row in e]
    half = np.hypot(*(float(one.high - one.mean) for one in each)) / a.estimate.mean
    assert np.log(apart.high / apart.mean) == pytest.approx(half, rel=0.05)


def test_pairing_cancels_what_replicas_share():
    shared = np.exp(0.3 * np.random.default_rng(6).standard_normal(16))
    a, b = (measure_time(ROUNDS, 0.5 ** (ROUNDS[:, None] / h) * shared, 0.1) for h in (6.0, 3.0))
    paired, apart = (compare_times(a, b, paired=pair) for pair in (True, False))
    assert np.log(paired.high / paired.low) < 0.2 * np.log(apart.high / apart.low)


@pytest.mark.parametrize("rule", ["stays", "first"])
def test_whole_records_are_not_taken_as_correlated(rule):
    a, b = (measure_time(ROUNDS, decays(3, half), 0.1, rule=rule) for half in (6.0, 3.0))
    paired, apart = (compare_times(a, b, paired=pair) for pair in (True, False))
    assert (paired.low, paired.high) == (apart.low, apart.high)


@pytest.mark.parametrize("seed", range(6))
def test_the_first_of_many_rounds_near_the_target_may_be_below_by_chance(seed):
    noise = np.random.default_rng(seed).standard_normal((300, 32))
    x = 1 + np.maximum(2 - np.arange(300)[:, None] / 100, 0.0) + noise
    first, fit = (measure_time(np.arange(300), x, 1.3, rule=r) for r in ("first", "isotonic"))
    # The mean is at 1.3 at round 170.
    assert first.estimate.mean < 170
    assert first.estimate.high >= np.ceil(fit.estimate.high)
    assert first.estimate.high >= 170


@pytest.mark.parametrize(
    ("halves", "words"),
    [((40.0, 5.0), "at least"), ((5.0, 40.0), "at most"), ((40.0, 40.0), "undetermined")],
)
def test_a_side_that_does_not_arrive_bounds_the_ratio(halves, words):
    a, b = (measure_time(ROUNDS, decays(9, half, noise=0.05), 0.1) for half in halves)
    ratio = compare_times(a, b, paired=True)
    assert describe_ratio(ratio).startswith(words)
    if words == "at least":
        # The end of the records, 59, over the latest time of b.
        assert ratio.low == pytest.approx(59 / b.bounds[1])
        assert ratio.low < 133 / 16.6  # the true ratio, 8


def test_a_target_that_is_met_at_the_start_has_no_ratio():
    late, early = (measure_time(ROUNDS, decays(1), value) for value in (0.1, 9.0))
    words = [
        describe_ratio(compare_times(a, b, paired=True))
        for a, b in ((early, early), (late, early), (early, late))
    ]
    assert words == ["undetermined", "infinite", "at most 0"]


def test_the_words_of_ratios():
    def words(mean, low, high):
        return describe_ratio(Estimate(*map(np.asarray, (mean, low, high)), 0.95, 8))

    assert words(2.9123, 2.6, 3.3) == "2.91 [2.60, 3.30]"
    assert words(4896.0, 4895.0, 4897.5) == "4896 [4895, 4898]"
    assert words(2.9, 2.6, np.inf) == "2.90 [2.60, inf]"
    assert words(np.inf, 3.1, np.inf) == "at least 3.1"
    assert words(0.0, 0.0, 0.4) == "at most 0.4"
    assert words(np.nan, 0.0, np.inf) == words(np.nan, np.nan, np.nan) == "undetermined"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measure_time(ROUNDS, np.ones(60), 1.0), r"shapes \(60,\) and \(60,\)"),
        (lambda: measure_time(ROUNDS, np.ones((60, 0)), 1.0), r"\(60, 0\)"),
        (lambda: measure_time(ROUNDS[1:], np.ones((60, 2)), 1.0), r"\(59,\) and \(60, 2\)"),
        (lambda: measure_time(ROUNDS, np.ones((60, 2)), np.nan), "value must be"),
        (lambda: measure_time(ROUNDS, np.ones((60, 2)), 1.0, level=2), "level=2"),
    ],
)
def test_wrong_values_are_refused(call, words):
    with pytest.raises(KavgError, match=words):
        call()


def test_times_of_other_replicas_or_levels_are_not_paired():
    few, many = (measure_time(ROUNDS, decays(1, R=R), 0.1) for R in (4, 6))
    with pytest.raises(KavgError, match="got 4 and 6; use paired=False"):
        compare_times(few, many, paired=True)
    assert compare_times(few, many, paired=False).replicas == 4
    other = measure_time(ROUNDS, decays(1), 0.1, level=0.9)
    with pytest.raises(KavgError, match=r"got 0.95 and 0.9"):
        compare_times(many, other, paired=True)
