"""The set that holds the best setting: by hand, against SciPy, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kavg.analysis.best_set import best_set_p_values
from kavg.errors import KavgError


def test_each_p_value_is_the_least_of_paired_tests_times_their_number():
    x = np.random.default_rng(1).normal(size=(5, 9)) + np.arange(5)[:, None] * 0.4
    for i, p in enumerate(best_set_p_values(x)):
        tests = [stats.ttest_rel(x[i], x[j], alternative="greater").pvalue
                 for j in range(5) if j != i]  # fmt: skip
        assert p == pytest.approx(min(1.0, 4 * min(tests)), rel=1e-9)


def test_the_best_setting_is_in_the_set_with_its_probability():
    """Level 95 %; 800 draws, all settings equally good, the worst case: binomial limit at 1e-6."""
    rng = np.random.default_rng(2)
    outside = 0
    for _ in range(800):
        shared = rng.normal(size=12)
        x = shared + 0.5 * rng.normal(size=(8, 12))
        outside += best_set_p_values(x)[0] <= 0.05
    assert outside <= stats.binom.isf(1e-6, 800, 0.05)
    assert outside > 0


def test_shared_noise_makes_the_set_smaller():
    rng = np.random.default_rng(3)
    shared, own = rng.normal(size=16), rng.normal(size=(6, 16))
    gap = 0.05 * np.arange(6)[:, None]
    paired = (best_set_p_values(gap + shared + 0.02 * own) > 0.05).sum()
    apart = (best_set_p_values(gap + own) > 0.05).sum()
    assert paired < apart


def test_failed_settings_are_out_and_do_not_count():
    x = np.random.default_rng(4).normal(size=(4, 8))
    alone = best_set_p_values(x[:3])
    x[3, 2] = np.nan
    np.testing.assert_array_equal(best_set_p_values(x), [*alone, 0.0])
    assert best_set_p_values(np.full((2, 3), np.inf)).tolist() == [0.0, 0.0]


def test_replicas_without_spread_decide_by_their_order():
    assert best_set_p_values([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]).tolist() == [1.0, 1.0, 0.0]
    assert best_set_p_values([[3.0, 3.0]]).tolist() == [1.0]


def test_huge_values_do_not_overflow():
    p = best_set_p_values(np.array([[1.0, 1.1, 0.9], [3.0, 3.1, 2.9]]) * 1e300)
    assert p[0] == 1.0
    assert 0 < p[1] < 0.05


def test_one_replica_tells_nothing():
    assert np.isnan(best_set_p_values([[1.0], [2.0]])).all()


@pytest.mark.parametrize("samples", [[1.0, 2.0], np.empty((0, 3)), np.empty((3, 0))])
def test_other_shapes_are_refused(samples):
    with pytest.raises(KavgError, match=r"\(m, R\)"):
        best_set_p_values(samples)
