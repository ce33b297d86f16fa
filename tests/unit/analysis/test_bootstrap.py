"""Bootstrap-t: its definition, its refusal, and the same draws everywhere."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from kavg.analysis.bootstrap import bootstrap_interval, mean_with_error
from kavg.analysis.estimate import mean_interval
from kavg.errors import KavgError
from kavg.oracles.streams import Purpose, Streams

SKEWED = np.random.default_rng(1).lognormal(size=40)


def test_the_interval_is_made_of_the_quantiles_of_t():
    words = Streams(seed=5, purpose=Purpose.BOOTSTRAP, R=199, tile=1, W=40).words(0)[0]
    rows = [[int(word) >> 32 for word in row] for row in words]
    drawn = SKEWED[[[word * 40 >> 32 for word in row] for row in rows]]
    error = SKEWED.std(ddof=1) / sqrt(40)
    t = (drawn.mean(axis=1) - SKEWED.mean()) / (drawn.std(axis=1, ddof=1) / sqrt(40))
    low, high = np.quantile(t, [0.05, 0.95])
    found = bootstrap_interval(SKEWED, level=0.9, resamples=199, seed=5)
    assert float(found.low) == pytest.approx(SKEWED.mean() - error * high)
    assert float(found.high) == pytest.approx(SKEWED.mean() - error * low)
    assert found.mean == SKEWED.mean()


def test_a_skewed_sample_has_a_longer_arm_on_its_long_side():
    found = bootstrap_interval(SKEWED)
    assert found.high - found.mean > 1.3 * (found.mean - found.low)
    assert found.high > mean_interval(SKEWED).high


def test_units_change_units_and_the_seed_changes_the_draws():
    found, scaled = bootstrap_interval(SKEWED), bootstrap_interval(2.0**40 * SKEWED + 0.0)
    assert scaled.low == 2.0**40 * found.low
    assert bootstrap_interval(SKEWED, seed=1).low != found.low


def test_every_row_is_drawn_equally_often():
    seen = np.zeros(40)

    def count(rows):
        np.add.at(seen, rows.astype(int), 1)
        return mean_with_error(rows)

    bootstrap_interval(np.arange(40.0), count, resamples=999)
    # Poisson counts of mean 1,000: 5 standard deviations, at 40 places, are a level of 2e-5.
    assert np.abs(seen - 1000).max() < 5 * sqrt(1000)


def test_rows_are_drawn_whole():
    curves = np.stack((np.arange(32.0), 2 * np.arange(32.0)), axis=1)

    def check(rows):
        assert (rows[:, 1] == 2 * rows[:, 0]).all()
        return mean_with_error(rows[:, 0])

    assert bootstrap_interval(curves, check, resamples=9).replicas == 32


def test_equal_replicas_have_no_width():
    found = bootstrap_interval(np.full(32, 3.0))
    assert found.low == found.mean == found.high == 3.0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"samples": np.ones(31)}, "at least 32 replicas, got 31; use more replicas"),
        ({"samples": 1.0}, "got 0"),
        ({"samples": SKEWED, "level": 1.0}, "level=1"),
        ({"samples": SKEWED, "resamples": 0}, "resamples=0"),
    ],
)
def test_wrong_arguments_are_refused(wrong, words):
    with pytest.raises(KavgError, match=words):
        bootstrap_interval(**wrong)
