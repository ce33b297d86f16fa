"""Products of rows and a matrix in a fixed order."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.memory import measure_peak
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.elementary.products import BLOCK, SPREAD, DiagonalProducts, RowProducts, multiply_rows
from kavg.elementary.row_blocks import cut_rows
from kavg.errors import KavgError

SIZES = st.one_of(st.integers(1, 12), st.sampled_from([31, 70, 130, 200]))
PRECISIONS = st.sampled_from(["float64", "float32"])


def numbers(seed, shape, dtype="float64"):
    return np.random.Generator(np.random.PCG64(seed)).uniform(-1.0, 1.0, shape).astype(dtype)


def planned(x, matrix):
    out = np.full((*x.shape[:-1], matrix.shape[1]), np.nan, x.dtype)
    multiply = RowProducts(matrix)
    multiply(x[::-1], out)
    multiply(x, out)
    return out


def add(a, b):
    return [one + other for one, other in zip(a, b, strict=True)]


def in_plain_python(x, matrix):
    """The definition, a number at a time."""
    n, m = matrix.shape
    total = None
    for k in range(0, n, BLOCK // m):
        terms = [list(row) for row in (x[:, None] * matrix)[k : k + BLOCK // m]]
        while len(terms) > 1:
            half = len(terms) // 2
            upper = terms[len(terms) - half :]
            terms = list(map(add, terms[:half], upper)) + terms[half : len(terms) - half]
        total = terms[0] if total is None else add(total, terms[0])
    return total


@settings(max_examples=40)
@given(st.integers(0, 99), SIZES, SIZES, st.integers(1, 3), st.integers(1, 3), PRECISIONS)
def test_products_follow_the_definition(seed, n, m, t, R, dtype):
    x, matrix = numbers(seed, (t, R, n), dtype), numbers(seed + 1, (n, m), dtype)
    expected = [in_plain_python(row, matrix) for row in x.reshape(-1, n)]
    assert np.array_equal(planned(x, matrix).reshape(-1, m), expected)
    assert np.array_equal(multiply_rows(x, matrix).reshape(-1, m), expected)
    assert np.array_equal(multiply_rows(x[0, 0], matrix), expected[0])
    turned = np.zeros((R, t, m), dtype).transpose(1, 0, 2)
    assert multiply_rows(x, matrix, turned) is turned
    assert np.array_equal(turned.reshape(-1, m), expected)


@settings(max_examples=40)
@given(st.data(), SIZES, st.integers(1, 9), st.integers(1, 5), PRECISIONS)
def test_no_layout_changes_a_bit(data, d, t, R, dtype):
    x, matrix = numbers(d, (t, R, d), dtype), numbers(d + 1, (d, d), dtype)
    expected = planned(x, matrix)
    order = data.draw(st.permutations(range(t)))
    gaps = np.repeat(x, 2, axis=-1)[..., ::2]
    assert np.array_equal(planned(x[order], matrix), expected[order])
    assert np.array_equal(planned(x[:1, -1:], matrix), expected[:1, -1:])
    assert np.array_equal(planned(np.asfortranarray(x), matrix), expected)
    assert np.array_equal(planned(gaps, np.asfortranarray(matrix)), expected)


@pytest.mark.parametrize(("shape", "d"), [((3000, 1), 3), ((2, 3000), 3), ((7, 5), 40)])
def test_blocks_change_no_bit(shape, d):
    x, matrix = numbers(1, (*shape, d)), numbers(2, (d, d))
    assert len(list(cut_rows(*shape, BLOCK // d**2))) > 1
    expected = [multiply_rows(row, matrix) for row in x.reshape(-1, d)]
    assert np.array_equal(planned(x, matrix).reshape(-1, d), expected)


@pytest.mark.parametrize("n", [8, 128, 200])
def test_the_error_is_below_the_stated_bound(n):
    x, matrix = numbers(n, n), numbers(n + 1, (n, n))
    G = min(n, BLOCK // n)
    k = n / G + np.log2(G) + 3
    for column, found in zip(matrix.T, multiply_rows(x, matrix), strict=True):
        terms = [Fraction(a) * Fraction(b) for a, b in zip(x, column, strict=True)]
        assert abs(Fraction(found) - sum(terms)) <= k * 2.0**-53 * 1.01 * float(
            sum(map(abs, terms))
        )


@pytest.mark.parametrize(
    ("x", "out"),
    [((2, 3, 5), (2, 3, 4)), ((2, 3, 4), (2, 3, 5)), ((2, 3, 4), (1, 3, 4)), ((3, 4), (3, 4))],
)
def test_shapes_that_do_not_fit_the_matrix_are_refused(x, out):
    with pytest.raises(KavgError, match=r"x \(t, R, 4\) and out \(t, R, 4\) are needed"):
        RowProducts(np.eye(4))(np.ones(x), np.zeros(out))


@pytest.mark.parametrize("d", [10, 100])
def test_a_planned_product_allocates_nothing(d):
    x, out, multiply = np.ones((4, 3, d)), np.empty((4, 3, d)), RowProducts(np.eye(d))
    multiply(x, out)
    most = measure_peak(lambda: multiply(x, out))
    assert most < 2000
    assert np.array_equal(out, x)


LARGE = ((300, 300, 2), (3, 70_000, 2), (5, 2, SPREAD + 1), (2, 3, SPREAD // 2 - 1))
"""Shapes whose products are computed in blocks."""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 3, 5), *LARGE])
def test_products_with_a_diagonal(shape, dtype):
    x, diagonal = numbers(1, shape, dtype), numbers(2, shape[-1], dtype)
    multiply = DiagonalProducts(diagonal, *shape[:2])
    for t in {shape[0], 1, (shape[0] + 1) // 2}:
        out = np.full_like(x[:t], np.nan)
        multiply(x[:t], out)
        assert np.array_equal(out, x[:t] * diagonal)


@pytest.mark.parametrize("shape", [(2**20, 1, 3), (2, 2**20, 3), (1, 2, 2**18)])
def test_a_spread_diagonal_is_small(shape):
    diagonal = np.ones(shape[-1])
    most = measure_peak(lambda: DiagonalProducts(diagonal, *shape[:2]))
    assert most < max(2**20, 8 * shape[-1]) + 4000
