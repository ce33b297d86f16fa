"""Random signs: one bit each, and both as often."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.addressed import part_by_hand
from hypothesis import given
from hypothesis import strategies as st

from kavg.base import Precision
from kavg.oracles.rademacher import Signs

DIMENSIONS = [1, 2, 3, 10, 63, 64, 65, 130]


def plan(R: int, tile: int, d: int, dtype: Precision = "float64") -> Signs:
    return Signs(seed=3, R=R, tile=tile, d=d, dtype=dtype)


@given(
    st.integers(0, 2**40),
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from(DIMENSIONS),
    st.sampled_from(["float32", "float64"]),
)
def test_a_plain_twin_has_the_same_bits(
    j: int, step: int, R: int, d: int, dtype: Precision
) -> None:
    signs = plan(R, 2, d, dtype)
    signs.streams.select(range(j, j + 2))
    drawn = signs.draw(step, 0.3)
    assert drawn.dtype == dtype
    bits = [part_by_hand((3, 1, j + 1, step), 1, (R - 1) * d + i) for i in range(d)]
    expected = np.where(bits, 0.3, -0.3).astype(dtype)
    np.testing.assert_array_equal(drawn[1, -1], expected)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_any_tile_and_number_of_replicas_keeps_the_bits(d: int) -> None:
    large = plan(4, 9, d)
    whole = large.draw(70, 1.5).copy()
    for first, stop, R in [(0, 1, 4), (2, 5, 1), (8, 9, 3), (1, 9, 2)]:
        small = plan(R, stop - first, d)
        small.streams.select(range(first, stop))
        np.testing.assert_array_equal(small.draw(70, 1.5), whole[first:stop, :R])
        large.streams.select(range(first, stop))
        np.testing.assert_array_equal(large.draw(70, 1.5), whole[first:stop])


@pytest.mark.parametrize(("R", "d", "words"), [(1, 1, 1), (64, 1, 1), (10, 10, 2), (1, 65, 2)])
def test_no_word_is_used_for_less_than_it_holds(R: int, d: int, words: int) -> None:
    planned = plan(R, 1, d)
    assert words == planned.streams.W


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("R", [1, 2, 9])
def test_no_more_is_written_than_is_handed_out_and_seven_signs_a_learner(R: int, d: int) -> None:
    signs = plan(R, 3, d)
    drawn = signs.draw(0, 1.0)
    rows = len(signs.steps) * len(drawn)
    assert signs.values.size // rows == (R * d if R * d < 8 else -(-R * d // 8) * 8)


def test_both_signs_are_as_frequent_at_every_place_of_a_word() -> None:
    signs = plan(1, 500, 64)
    drawn = np.stack([signs.draw(step, 1.0).copy() for step in range(100)]).reshape(-1, 64)
    # 64 means of 50,000 signs: five standard errors.
    assert np.abs(drawn.mean(axis=0)).max() < 5 / 50_000**0.5
    correlations = drawn.T @ drawn / len(drawn) - np.eye(64)
    assert np.abs(correlations).max() < 6 / 50_000**0.5
