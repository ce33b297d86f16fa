"""The logarithm of the hyperbolic cosine against 60 digits."""

from __future__ import annotations

from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kavg.elementary.log_cosh import FAR, log_cosh, tabulate_polynomials

DIGITS = Context(prec=60, Emin=-9999, Emax=9999)
ROOM, ROOM_NEAR_0 = Decimal("6e-16"), Decimal("3e-14")
"""Largest relative errors, from 0.1 on and below."""
HUGE = (FAR, np.nextafter(FAR, 30), 25.0, 1e3, 1e17, 1.7e308)


def exact(x):
    """``log cosh x`` to 40 digits or more."""
    size = abs(Decimal(float(x)))
    # Nearer to 0 the digits of 1 + (decay - 1) / 2 would cancel.
    if size < Decimal("1e-10"):
        return DIGITS.divide(DIGITS.multiply(size, size), Decimal(2))
    decay = DIGITS.exp(DIGITS.multiply(size, Decimal(-2)))
    return DIGITS.add(DIGITS.ln(DIGITS.divide(DIGITS.add(decay, 1), Decimal(2))), size)


@given(st.floats(0.1, 25.0) | st.sampled_from(HUGE) | st.floats(0.1, 1e300))
@example(0.7836757100518229)
@example(0.7827148437500002)
@example(0.27003642849017573)
def test_right_to_rounding(x):
    result, expected = log_cosh(np.array([x, -x])), exact(x)
    assert result[0] == result[1]
    assert abs(Decimal(float(result[0])) - expected) <= ROOM * expected


@given(st.floats(0.0, 0.1) | st.floats(0.0, 0.005) | st.floats(0.0, 1e-150))
@example(0.0004883122107595499)
@example(0.0004882822188929805)
def test_right_near_0(x):
    result, expected = log_cosh(np.array([x, -x])), exact(x)
    assert result[0] == result[1]
    room = ROOM_NEAR_0 * expected + Decimal("1e-320")
    assert abs(Decimal(float(result[0])) - expected) <= room


@pytest.mark.parametrize("k", [0, 1, 2, 10, 1023, 1024, 1025, 19558, 19559])
def test_borders_of_cells(k):
    border = (k + 0.5) / 1024
    for x in (border, np.nextafter(border, 0), np.nextafter(border, 30), k / 1024):
        room = ROOM_NEAR_0 if x < 0.1 else ROOM
        expected = exact(x)
        assert abs(Decimal(float(log_cosh(np.array([x]))[0])) - expected) <= room * expected


def test_infinity_nan_and_other_shapes():
    assert log_cosh(np.array([np.inf, -np.inf])).tolist() == [np.inf, np.inf]
    assert np.isnan(log_cosh(np.array([np.nan]))[0])
    x = np.random.Generator(np.random.PCG64(1)).normal(size=(3, 4, 5)) * 5
    whole = log_cosh(x)
    assert np.array_equal(log_cosh(x[::2, 1:, ::-1]), whole[::2, 1:, ::-1])
    assert np.array_equal(log_cosh(x[0, 0, 0]), whole[0, 0, 0])
    assert log_cosh(x.astype(np.float32)).dtype == np.float64


def test_the_plain_twin():
    x = np.linspace(-25, 25, 100_001)
    np.testing.assert_allclose(log_cosh(x), np.logaddexp(x, -x) - np.log(2), atol=2e-15, rtol=1e-15)


def test_cells_meet():
    table = tabulate_polynomials()
    assert table.shape == (5, 19560)
    assert not table.flags.writeable
    half = 2.0**-11
    powers = half ** np.arange(5.0)
    ends = powers @ table[:, :-1]
    begins = (powers * [1, -1, 1, -1, 1]) @ table[:, 1:]
    np.testing.assert_allclose(ends, begins, rtol=4e-15, atol=1e-20)
