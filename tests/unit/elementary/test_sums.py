"""Sums in a fixed order: what the order is, and that nothing but the length of a row decides it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.memory import measure_peak
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.elementary import products, sums
from kavg.elementary.row_blocks import cut_rows
from kavg.elementary.sums import WIDTH, SquareSums, sum_over_coordinates, sum_squares

SEEDS = st.integers(0, 2**32 - 1)
LENGTHS = st.one_of(
    st.integers(1, 40),
    st.sampled_from([63, 64, 65, 1000, WIDTH - 1, WIDTH, WIDTH + 1]),
    st.sampled_from([2 * WIDTH, 2 * WIDTH + 3]),
)
PRECISIONS = st.sampled_from(["float64", "float32"])


def numbers(seed, shape, dtype="float64"):
    random = np.random.Generator(np.random.PCG64(seed))
    spread = np.ldexp(1.0, random.integers(-12, 12, shape))
    return (random.uniform(-1.0, 1.0, shape) * spread).astype(dtype)


def squares_of(x):
    """By a plan that is used twice, with what was there before overwritten."""
    planned = SquareSums()
    out = np.full(x.shape[:-1], np.nan, x.dtype)
    planned(x[::-1], out)
    planned(x, out)
    return out


def in_plain_python(row):
    """The definition, a number at a time."""
    terms = list(row[:WIDTH])
    for place in range(WIDTH, len(row)):
        terms[place % WIDTH] = terms[place % WIDTH] + row[place]
    while len(terms) > 1:
        half = len(terms) // 2
        upper = terms[len(terms) - half :]
        terms = [a + b for a, b in zip(terms, upper, strict=False)] + terms[
            half : len(terms) - half
        ]
    return terms[0]


@settings(max_examples=60)
@given(SEEDS, LENGTHS, st.integers(1, 4), st.integers(1, 3), PRECISIONS)
def test_sums_and_squares_follow_the_definition(seed, d, t, R, dtype):
    x = numbers(seed, (t, R, d), dtype)
    rows = x.reshape(-1, d)
    expected = np.array([in_plain_python(row) for row in rows]).reshape(t, R)
    assert expected.dtype == dtype
    assert np.array_equal(sum_over_coordinates(x), expected)
    squares = np.array([in_plain_python(row) for row in rows * rows]).reshape(t, R)
    assert np.array_equal(sum_squares(x), squares)
    assert np.array_equal(squares_of(x), squares)


@settings(max_examples=60)
@given(st.data(), SEEDS, LENGTHS, PRECISIONS)
def test_no_layout_changes_a_bit(data, seed, d, dtype):
    """Rows in any order, of any array that holds them, alone or with others."""
    t, R = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    x = numbers(seed, (t, R, d), dtype)
    expected, squares = sum_over_coordinates(x), sum_squares(x)
    order = data.draw(st.permutations(range(t)))
    some = data.draw(st.slices(R))
    wide = np.zeros((t, R, d + 1), dtype)
    wide[..., :-1] = x
    layouts = [
        (x[order], np.s_[order]),
        (x[:, some], np.s_[:, some]),
        (wide[..., :-1], np.s_[:]),
        (np.asfortranarray(x), np.s_[:]),
        (np.repeat(x, 2, axis=-1)[..., ::2], np.s_[:]),
    ]
    for other, place in layouts:
        assert np.array_equal(sum_over_coordinates(other), expected[place])
        if other.size:
            assert np.array_equal(squares_of(other), squares[place])
    assert sum_over_coordinates(x[0, 0]) == expected[0, 0]


@pytest.mark.parametrize("block", [1, 100, 5000])
@pytest.mark.parametrize("shape", [(1, 300, 10), (7, 30, 100), (5, 1, 3000), (2, 3, 20_000)])
def test_blocks_change_no_bit(shape, block, monkeypatch):
    x = numbers(3, shape)
    expected = squares_of(x)
    monkeypatch.setattr(sums, "BLOCK", block)
    assert np.array_equal(squares_of(x), expected)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 100))
def test_blocks_hold_each_row_once_and_not_too_many(t, R, most):
    seen = np.zeros((t, R), int)
    for rows in cut_rows(t, R, most):
        seen[rows] += 1
        assert seen[rows].size <= max(1, most)
    assert (seen == 1).all()


@settings(max_examples=60)
@given(SEEDS, LENGTHS, PRECISIONS)
def test_the_error_is_below_the_stated_bound(seed, d, dtype):
    x = numbers(seed, d, dtype)
    u = np.finfo(dtype).eps / 2
    k = d / WIDTH + math.log2(min(d, WIDTH)) + 2
    sizes = math.fsum(abs(float(number)) for number in x)
    error = abs(float(sum_over_coordinates(x)) - math.fsum(map(float, x)))
    assert error <= k * u / (1 - k * u) * sizes
    squares = [float(number) ** 2 for number in x]
    found = float(sum_squares(x))
    assert abs(found - math.fsum(squares)) <= (k + 1) * u / (1 - (k + 1) * u) * math.fsum(squares)


def test_the_order_is_what_digests_were_made_with():
    """Other numbers here mean other bits in every run of so many coordinates."""
    assert (sums.WIDTH, products.BLOCK) == (8192, 16_384)


def test_exact_values():
    assert sum_over_coordinates(np.array([1e16, 1.0, -1e16])) == 1.0
    assert sum_over_coordinates(np.array([1e16, -1e16, 1.0])) == 0.0  # 1e16 and 1 come first
    assert sum_over_coordinates(np.array([7.0])) == 7.0
    assert sum_squares(np.arange(101.0)) == 338_350
    assert squares_of(np.full((2, 2, 3 * WIDTH), 2.0)).tolist() == [[12.0 * WIDTH] * 2] * 2
    assert type(sum_over_coordinates(np.ones(3))) is np.float64


def test_what_is_not_finite_stays_in_its_row():
    x = np.ones((2, 3, 70))
    x[0, 1, 5], x[1, 2, 69] = np.inf, np.nan
    for found in (sum_squares(x), squares_of(x), sum_over_coordinates(x)):
        assert found[0].tolist() == [70.0, np.inf, 70.0]
        assert found[1, :2].tolist() == [70.0, 70.0]
        assert np.isnan(found[1, 2])


@pytest.mark.parametrize("shape", [(8, 1, 10), (1, 1, 1), (4, 2, 1000), (2, 1, 20_000)])
def test_a_planned_sum_allocates_nothing(shape):
    x, out, planned = np.ones((*shape[:-1], shape[-1] + 1)), np.empty(shape[:-1]), SquareSums()
    x = x[..., :-1]
    planned(x, out)
    most = measure_peak(lambda: planned(x, out))
    assert most < 2000


def test_a_total_holds_no_more_memory_than_itself():
    assert sum_over_coordinates(np.ones((2, 1000))).base is None


# --- NumPy's sums over an axis that is not the last


@pytest.mark.parametrize("t", [1, 2, 3, 9, 300])
@pytest.mark.parametrize("R", [1, 2, 5])
@pytest.mark.parametrize("d", [1, 2, 7, 200])
def test_numpy_adds_learners_one_after_another(t, R, d):
    """On that rests the plain mean; with the column of squares a row has two numbers at least."""
    x = numbers(t, (t + 1, R, d + 1))[:t]
    total = x[0].copy()
    for one in x[1:]:
        total += one
    out = np.empty((R, d + 2))[:, :-1]
    assert np.array_equal(np.add.reduce(x, axis=0, out=out), total)
