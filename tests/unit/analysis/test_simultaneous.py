"""Intervals that hold together: Bonferroni's level, and the differences of a table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.analysis.estimate import paired_difference, unpaired_difference
from kavg.analysis.simultaneous import simultaneous_differences, simultaneous_level
from kavg.errors import KavgError


@given(st.floats(0.01, 0.999), st.integers(1, 100))
def test_the_probabilities_of_a_miss_add_up(level, count):
    each = simultaneous_level(level, count)
    assert count * (1 - each) == pytest.approx(1 - level)
    assert simultaneous_level(level, 1) == pytest.approx(level)


@pytest.mark.parametrize("paired", [True, False])
def test_each_row_is_a_difference_at_that_level(paired):
    rows = np.random.default_rng(1).standard_normal((3, 7))
    found = simultaneous_differences(rows[:2], rows[2], 0.9, paired=paired)
    assert found.level == 0.95
    subtract = paired_difference if paired else unpaired_difference
    for i in range(2):
        assert found.low[i] == pytest.approx(float(subtract(rows[i], rows[2], 0.95).low))


@pytest.mark.parametrize(("level", "count"), [(0.0, 3), (1.0, 3), (0.95, 0)])
def test_wrong_levels_are_refused(level, count):
    with pytest.raises(KavgError):
        simultaneous_level(level, count)
