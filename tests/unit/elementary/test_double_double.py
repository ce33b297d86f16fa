"""Arithmetic of pairs against fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.elementary.double_double import (
    add_pairs,
    divide_pairs,
    multiply_exactly,
    multiply_pairs,
    pair_of,
)

SIZES = st.floats(1e-9, 1e9) | st.floats(-1e9, -1e-9)


@st.composite
def pairs(draw):
    high = draw(SIZES)
    return np.array([high]), np.array([draw(st.floats(-0.5, 0.5)) * np.spacing(abs(high))])


def value(pair):
    return Fraction(float(pair[0][0])) + Fraction(float(pair[1][0]))


def is_normal(pair):
    return pair[0][0] + pair[1][0] == pair[0][0]


@given(SIZES, SIZES)
def test_a_product_of_two_numbers_is_exact(a, b):
    product = multiply_exactly(np.array([a]), np.array([b]))
    assert value(product) == Fraction(a) * Fraction(b)


@given(pairs(), pairs())
def test_products_quotients_and_sums(x, y):
    for result, expected, bits in (
        (multiply_pairs(x, y), value(x) * value(y), 101),
        (divide_pairs(x, y), value(x) / value(y), 100),
    ):
        assert abs(value(result) - expected) <= abs(expected) / 2**bits
        assert is_normal(result)
    total = add_pairs(x, y)
    assert abs(value(total) - value(x) - value(y)) <= max(abs(value(x)), abs(value(y))) / 2**103
    assert is_normal(total)


@pytest.mark.parametrize("text", ["0.1", "1e-20", "3.14159265358979323846264338327950288", "2"])
def test_a_pair_of_a_decimal(text):
    high, low = pair_of([Decimal(text)])
    assert high[0] == float(text)
    assert abs(value((high, low)) - Fraction(text)) <= Fraction(text) / 2**105
