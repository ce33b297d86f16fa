"""The hyperbolic tangent against 60 digits, and its bits against slices, strides and signs."""

from __future__ import annotations

from decimal import Context, Decimal

import numpy as np
import pytest
from helpers.memory import measure_peak
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.elementary.block_function import BLOCK
from kavg.elementary.tanh import EVEN, plan_tanh, tanh
from kavg.elementary.tanh_tables import choose_grid, tabulate_lines, tabulate_quotients

DIGITS = Context(prec=60, Emin=-9999, Emax=9999)
MOST_ULPS = {"float64": 4.0, "float32": 2.5}
"""Largest error of ``tanh x`` in units in the last place."""
MORE_ULPS = {"float64": 5.0, "float32": 2.5}
"""The same of ``c tanh(b x)`` for other numbers than powers of 2."""
DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
HUGE = {"float64": 1.7e308, "float32": 3.4e38}
FACTORS = st.floats(2.0**-90, 2.0**90)


def exact(c, b, x):
    """``c tanh(b x)`` to 60 digits."""
    z = DIGITS.multiply(Decimal(float(b)), Decimal(float(x)))
    size = abs(z)
    if size > 80:
        result = Decimal(1)
    elif size < Decimal("1e-20"):
        # The next term is beyond 60 digits of the first only for smaller ones, but below 1e-40.
        result = size
    else:
        power = DIGITS.exp(2 * size)
        result = DIGITS.divide(power - 1, power + 1)
    return DIGITS.multiply(Decimal(float(c)), result.copy_sign(z))


def ulps(result, expected):
    """The distance of a float and a Decimal in units in the last place of the nearest float."""
    nearest = result.dtype.type(float(expected))
    unit = Decimal(float(np.spacing(np.abs(nearest))))
    return float(abs(Decimal(float(result)) - expected) / unit)


def computed(b, c, x, **options):
    out = np.full_like(x, np.nan)
    with np.errstate(over="ignore"):
        plan_tanh(b, c, size=x.size, dtype=x.dtype.name, **options)(x, out)
    return out


def remarkable(b, dtype):
    """Zeros, the least numbers, borders of cells, the first of them, the end, huge numbers."""
    grid = choose_grid(b, dtype)
    places = np.array([0.5, 1, 1.5, 2.5, 3.5, 100.5, 1000.5, grid.K - 1.5, grid.K - 0.5, grid.K])
    borders = (places * grid.step).astype(dtype)
    near = [np.nextafter(borders, side, dtype=dtype) for side in (0, np.inf)]
    info = np.finfo(dtype)
    small = [0.0, info.smallest_subnormal, 5 * info.smallest_subnormal, info.tiny, 1e3 * info.tiny]
    # The last bits of the sum with a number wrap around between 1 and 2 times the rounder.
    wrapping = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 3.0]) * float(grid.rounder)
    large = [1e3 / b, 1e6 / b, HUGE[dtype] / 4, HUGE[dtype]]
    right = np.concatenate([borders, *near, small, wrapping, large]).astype(dtype)
    return np.concatenate([right, -right])


@DTYPES
@pytest.mark.parametrize(
    ("b", "c"), [(1.0, 1.0), (2.0, -2.0), (1.9999, 1.0), (0.7, 3.3), (1e5, -1e-3), (2.0**-80, 1e6)]
)
def test_remarkable_numbers(b, c, dtype):
    x = remarkable(b, dtype)
    # Digits are lost where a square is subnormal.
    x = x[(x == 0) | (abs(c) >= 1) | (np.abs(x) >= float(np.finfo(dtype).tiny) / c**2)]
    most = (MOST_ULPS if b in (1, 2) else MORE_ULPS)[dtype]
    for number, result in zip(x, computed(b, c, x), strict=True):
        assert ulps(result, exact(c, b, number)) <= most, number


@DTYPES
@settings(max_examples=300)
@given(st.floats(0.0, 25.0) | st.floats(0.0, 0.01) | st.floats())
def test_any_number(dtype, number):
    with np.errstate(over="ignore"):
        x = np.array([number, -number], dtype)
    result = tanh(x)
    if np.isnan(number):
        assert np.isnan(result).all()
    else:
        assert result[0] == -result[1]
        assert np.signbit(result).tolist() == np.signbit(x).tolist()
        if np.isinf(x[0]):
            assert abs(result[0]) == 1.0
        else:
            assert ulps(result[0], exact(1, 1, x[0])) <= MOST_ULPS[dtype]


@DTYPES
@settings(max_examples=50, deadline=None)
@given(b=FACTORS, c=FACTORS, reduced=st.lists(st.floats(-25.0, 25.0), min_size=1, max_size=5))
def test_any_factors(dtype, b, c, reduced):
    x = (np.array(reduced) / b).astype(dtype)
    for number, result in zip(x, computed(b, c, x), strict=True):
        expected = exact(c, b, number)
        tiny = Decimal(float(np.finfo(dtype).tiny))
        if expected == 0 or abs(expected) > 1000 * tiny:
            assert ulps(result, expected) <= MORE_ULPS[dtype]


@DTYPES
@pytest.mark.parametrize("b", [1e-300, 1e-200, 1e-60, 3e50, 1e200, 1e300, 1.5e308])
@pytest.mark.parametrize("c", [-1.0, 1e30, -1e-30])
def test_extreme_factors(b, c, dtype):
    reduced = np.array([-1e9, -3.0, -0.5, -1e-3, 0.0, 1e-9, 0.1, 1.0, 19.0])
    with np.errstate(over="ignore", under="ignore"):
        x = np.clip(reduced / b, -HUGE[dtype], HUGE[dtype]).astype(dtype)
    bare, added = computed(b, c, x), computed(b, c, x, adds_x=True)
    for number, result, total in zip(x, bare, added, strict=True):
        expected = exact(c, b, number)
        room = 5 * np.spacing(np.abs(result)) + 2 * np.finfo(dtype).smallest_subnormal
        assert abs(float(Decimal(float(result)) - expected)) <= room
        assert total == pytest.approx(float(Decimal(float(number)) + expected), rel=1e-6)


@DTYPES
@pytest.mark.parametrize(("a", "b"), [(1.0, 2.0), (0.5, 1.2), (2.0, 3.0), (1e4, 0.03)])
def test_with_x_added(a, b, dtype):
    rng = np.random.Generator(np.random.PCG64(1))
    x = np.concatenate([rng.normal(size=300), 4 * rng.normal(size=300), [0.0, 1e15, 1e20, 1e30]])
    x = np.concatenate([x, -x, remarkable(b, dtype)]).astype(dtype)
    c = -a * b
    for number, result in zip(x, computed(b, c, x, adds_x=True), strict=True):
        curve = exact(c, b, number)
        expected = Decimal(float(number)) + curve
        larger = max(abs(float(curve)), abs(float(number)))
        room = 5 * float(np.spacing(np.array(larger, dtype)))
        assert abs(float(Decimal(float(result)) - expected)) <= room, number


@DTYPES
@pytest.mark.parametrize(("b", "c"), [(1.0, 1.0), (2.0, -2.0), (0.7, 3.3), (1e200, 2.0)])
def test_odd_to_the_last_bit(b, c, dtype):
    rng = np.random.Generator(np.random.PCG64(2))
    x = np.concatenate([rng.normal(size=20_000) * 3, remarkable(min(b, 1e5), dtype)]).astype(dtype)
    forth, back = computed(b, c, x), computed(b, c, -x)
    assert np.array_equal(forth.view(np.uint8), (-back).view(np.uint8))


@DTYPES
@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3 * BLOCK), st.integers(0, 2 * BLOCK), st.integers(1, BLOCK), st.integers(1, 5)
)
def test_any_slice_has_the_same_bits(dtype, n, first, count, step):
    x = np.random.Generator(np.random.PCG64(n)).normal(size=n).astype(dtype)
    whole = computed(2.0, -2.0, x, adds_x=True)
    part = slice(first, first + count * step, step)
    assert np.array_equal(computed(2.0, -2.0, x[part], adds_x=True), whole[part])
    # One plan for arrays of many sizes, that come again or not.
    plan = plan_tanh(2.0, -2.0, size=n, dtype=dtype, adds_x=True)
    for given_ in (x, x[:1], x[part].copy(), x, x[::-1]):
        expected = computed(2.0, -2.0, given_.copy(), adds_x=True)
        for out in (np.full(given_.size, np.nan, dtype), np.full(2 * n, np.nan, dtype)[::2]):
            plan(given_, out[: given_.size])
            assert np.array_equal(out[: given_.size], expected)


@DTYPES
@pytest.mark.parametrize("adds_x", [False, True])
def test_the_same_arrays_allocate_nothing(dtype, adds_x):
    x = np.random.Generator(np.random.PCG64(3)).normal(size=3 * BLOCK + 5).astype(dtype)
    out = np.empty_like(x)
    plan = plan_tanh(2.0, -2.0, size=x.size, dtype=dtype, adds_x=adds_x)
    plan(x, out)
    peak = measure_peak(lambda: plan(x, out))
    assert peak < 1000


@DTYPES
def test_the_plain_twin(dtype):
    x = np.linspace(-30, 30, 100_001).astype(dtype)
    room = 5 * np.finfo(dtype).eps
    np.testing.assert_allclose(tanh(x), np.tanh(x), rtol=room)
    np.testing.assert_allclose(computed(3.0, -0.5, x), -0.5 * np.tanh(3 * x), rtol=2 * room)


def test_the_square_of_a_cell_stands_for_the_quartic_term():
    w = Decimal(2) ** -22
    factor = (1 - Decimal(EVEN) * w / 15) / 3
    errors = []
    for k in range(1, 1001):
        u2 = w * k / 1000
        u = DIGITS.sqrt(u2)
        errors.append(float((1 + factor * u2) * exact_ratio(u) - 1))
    # One modulus inside of the cell and at its end.
    assert max(errors) == pytest.approx(-min(errors), rel=1e-3)
    assert max(errors) < 2.3e-16


def exact_ratio(u):
    """``tanh u / u`` to some 50 digits."""
    power = DIGITS.exp(2 * u)
    return DIGITS.divide(DIGITS.divide(power - 1, power + 1), u)


def test_a_table_is_rounded_once():
    b, c = 1.3, -2.1
    grid = choose_grid(b, "float64")
    table = tabulate_quotients(b, c, grid)
    assert len(table) == 2 * grid.K + 1
    for k in (1, 2, 3, 77, 1000, grid.K // 2, grid.K - 1):
        T = exact(1, b, k * grid.step)
        slope = DIGITS.multiply(Decimal(c) * Decimal(c), 1 - DIGITS.multiply(T, T))
        entry = table[grid.K + k]
        assert entry.real == float(Decimal(c) * T)
        assert entry.imag == float(slope)
        assert table[grid.K - k].real == -entry.real
    ends = table[[0, -1]]
    assert ends.real.tolist() == [-c, c]
    assert ends.imag.tolist() == [0, 0]


def test_the_tables_of_many_slopes_are_made_once():
    def plan_all():
        for k in range(16):
            plan_tanh(1.0 + k / 8, -1.0 - k, size=8, dtype="float64")
            plan_tanh(1.0 + k / 8, -1.0 - k, size=8, dtype="float32")

    plan_all()
    kept = (tabulate_quotients, tabulate_lines)
    before = [f.cache_info().misses for f in kept]
    plan_all()
    assert [f.cache_info().misses for f in kept] == before


def test_lines_halve_the_distance_of_tangents():
    b = 1.7
    grid = choose_grid(b, "float32")
    table = tabulate_lines(b, 1.0, grid, adds_x=False)
    for k in (1, 500, grid.K // 5, grid.K // 2):
        z = k * grid.step
        slope = 1 - exact(1, b, z) ** 2
        ends = [float(exact(1, b, z + side * grid.step / 2)) for side in (-1, 1)]
        middle = float(exact(1, b, z))
        bow = middle - (ends[0] + ends[1]) / 2
        line = table[grid.K + k]
        assert line.imag == pytest.approx(b * float(slope), rel=1e-7)
        intercept = middle - b * float(slope) * z - bow / 2
        # A float32 is too coarse to see it where the intercept is large.
        assert abs(float(line.real) - intercept) <= 0.51 * np.spacing(np.abs(line.real)) + bow / 20
