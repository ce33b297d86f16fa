"""The sine: how far off, the same bits in any company, nothing allocated."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from helpers.experiment import experiment
from helpers.memory import measure_peak
from hypothesis import given
from hypothesis import strategies as st

from kavg.elementary.block_function import BLOCK
from kavg.elementary.sine import PI, Sine, half_turns, sine, sine_cosine_of_half_turns
from kavg.elementary.sine_by_table import STEPS, SineByTable, choose_sine, scale_turn, tabulate_turn

PRECISE = np.finfo(np.longdouble).eps < 1e-18
LONG_PI = 4 * np.arctan(np.longdouble(1))
DTYPES = {"polynomial": "float64", "single": "float32", "table": "float64"}
FORMS = pytest.mark.parametrize("form", DTYPES)


def plan(omega, size, form, scale=1.0):
    """A planned sine of one of the forms."""
    if form == "table":
        return SineByTable(omega, size, scale)
    return Sine(omega, size, DTYPES[form], scale)


def sine_of(turns, form="polynomial", scale=1.0):
    """The sine of pi times ``turns``."""
    x = np.array(turns, DTYPES[form])
    planned, out = plan(np.pi, x.size, form, scale), np.full_like(x, np.nan)
    assert half_turns(np.pi) == 1.0
    planned(x, out)
    return out


@pytest.mark.skipif(not PRECISE, reason="no longer numbers to compare with")
@pytest.mark.parametrize(
    ("form", "absolute", "relative", "scales"),
    [
        ("polynomial", 5e-16, 4e-16, [1e-300, 1e-9, 1e-3, 0.1, 0.5, 3.0, 1e6, 1e12]),
        ("single", 1.8e-7, 1.4e-7, [1e-30, 1e-9, 0.1, 0.5, 3.0, 1e3, 1e6]),
        ("table", 3.5e-16, 6e-16, [1e-300, 1e-9, 1e-4, 1e-3, 0.1, 0.5, 3.0, 1e6, 1e11]),
    ],
)
def test_sine_is_right_to_the_last_places(form, absolute, relative, scales):
    for scale in scales:
        t = np.random.default_rng(1).uniform(-scale, scale, 20_000).astype(DTYPES[form])
        f = t - np.rint(t)
        exact = np.sin(LONG_PI * f.astype(np.longdouble)) * np.where(np.rint(t) % 2, -1, 1)
        off, near = np.abs(sine_of(t, form) - exact), np.abs(f) < 0.25
        assert off.max() < absolute
        assert (off <= relative * np.abs(exact))[near].all()


def test_sine_agrees_with_decimals():
    coefficients = experiment("elementary/coefficients")
    x = np.random.default_rng(2).uniform(-6, 6, 200)
    with localcontext(prec=60):
        exact = [float(coefficients.cosine(Decimal(float(a)) * 3 - coefficients.PI / 2)) for a in x]
    # A rounding of omega/pi and one of the product: 2^-52 of the argument.
    assert np.all(np.abs(sine(x, 3.0, np.empty_like(x)) - exact) < 5e-16 + 2**-52 * np.abs(3 * x))


@FORMS
def test_sine_is_exact_at_multiples_of_a_half(form):
    whole = np.arange(-50.0, 51.0)
    assert (sine_of(whole, form) == 0).all()
    assert np.array_equal(sine_of(whole + 0.5, form), np.where(whole % 2, -1.0, 1.0))
    borders = (np.arange(4000) + 0.5) / 8192
    for t in (whole / 7, borders):
        assert np.array_equal(sine_of(-t, form), -sine_of(t, form))


@FORMS
def test_sine_of_zeros_and_of_numbers_without_a_phase(form):
    limits = np.finfo(DTYPES[form])
    assert np.signbit(sine_of([-0.0, 0.0], form)).tolist() == [True, False]
    assert 3 <= sine_of([limits.smallest_subnormal], form)[0] / limits.smallest_subnormal <= 4
    with np.errstate(invalid="ignore"):
        assert np.isnan(sine_of([np.inf, -np.inf, np.nan], form)).all()
    # Of the largest the table takes 2^13 times as much, which is infinite.
    huge = 2.0 ** np.arange(20, limits.maxexp - 15)
    for factor in (1.0, 1.25, 1 + limits.eps):
        assert np.abs(sine_of(factor * huge, form)).max() <= 1.0 + limits.eps


@FORMS
def test_peaks_are_hardly_above_1(form):
    limits = np.finfo(DTYPES[form])
    t = 0.5 - 10.0 ** np.random.default_rng(3).uniform(-16, -2, 20_000)
    assert 1.0 <= sine_of([*t, 0.5], form).max() <= 1.0 + limits.eps


@FORMS
def test_the_scale_is_a_factor(form):
    t = np.linspace(-3, 3, 1001)
    off = np.abs(sine_of(t, form, -2.5) + 2.5 * sine_of(t, form).astype(np.float64))
    assert off.max() < 5 * np.finfo(DTYPES[form]).eps


@pytest.mark.parametrize("omega", [1e-300, 0.7, 1.3, 2.5, 3.0, 1e17, 1e300])
def test_half_turns_are_rounded_correctly(omega):
    with localcontext(prec=400):
        exact = Decimal(omega) / (Decimal(PI.numerator) / Decimal(PI.denominator))
        nearest = [np.nextafter(half_turns(omega), end) for end in (0.0, np.inf)]
        off = abs(Decimal(half_turns(omega)) - exact)
        assert all(off <= abs(Decimal(float(other)) - exact) for other in nearest)


@FORMS
def test_numpys_own_sine_is_near(form):
    x = np.linspace(-9, 9, 1001).astype(DTYPES[form])
    out = np.empty_like(x)
    plan(1.7, x.size, form)(x, out)
    off = np.abs(out - np.sin(x.astype(np.float64) * 1.7))
    assert off.max() < 20 * np.finfo(x.dtype).eps


@FORMS
@given(size=st.integers(0, 3), extra=st.integers(-1, 1), cut=st.integers(0, 200))
def test_neighbours_do_not_change_bits(form, size, extra, cut):
    t = np.random.default_rng(size).normal(size=max(1, size * BLOCK + extra))
    cut = min(cut, len(t))
    apart = np.concatenate([sine_of(t[:cut], form), sine_of(t[cut:], form)])
    assert apart.tobytes() == sine_of(t, form).tobytes()


@pytest.mark.parametrize("layout", [np.s_[:, :], np.s_[::2, :], np.s_[:, ::-1], np.s_[:, 1:5]])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_of_memory(layout, order):
    plane = np.random.default_rng(1).normal(size=(300, 70)).copy(order)
    place = np.full((300, 70), 7.0)
    expected, rest = sine_of(plane[layout].copy()), place.copy()
    rest[layout] = expected
    assert sine(plane[layout], np.pi, place[layout]).tobytes() == expected.tobytes()
    assert place.tobytes() == rest.tobytes()


@FORMS
def test_a_planned_sine_allocates_nothing(form):
    x, out = np.ones((8, 4, 1000), DTYPES[form]), np.empty((8, 4, 1000), DTYPES[form])
    planned = plan(3.0, x.size, form)
    planned(x, out)
    peak = measure_peak(lambda: planned(x, out))
    assert peak < 2000


def test_sine_and_cosine_of_half_turns():
    whole = np.arange(-(2**31), 2**31, 43_211).astype(np.int32)
    turns = whole.astype(np.float32) * np.float32(2.0**-31)
    angle = np.pi * turns.astype(np.float64)
    found, cosine = np.empty_like(turns), np.empty_like(turns)
    sine_cosine_of_half_turns(turns.copy(), found, cosine, np.empty((2, turns.size), np.float32))
    assert np.abs(found - np.sin(angle)).max() < 1.8e-7
    assert np.abs(cosine - np.cos(angle)).max() < 1.5e-7
    assert found.tobytes() == sine_of(turns, "single").tobytes()


def test_the_table_is_rounded_correctly():
    table, coefficients = tabulate_turn(), experiment("elementary/coefficients")
    with localcontext(prec=60):
        root = Decimal(2).sqrt()
        for k in [1, 2, 5, 100, 2047, 2048, 2049, 4095, *range(3, STEPS, 1501)]:
            angle = 2 * coefficients.PI * k / STEPS
            sine_there = float(coefficients.cosine(angle - coefficients.PI / 2))
            assert table[k] == complex(sine_there, float(root * coefficients.cosine(angle)))
    assert np.array_equal(table.real[1:], -table.real[:0:-1])
    assert np.array_equal(table.imag[1:], table.imag[:0:-1])


def test_d_the_precision_and_omega_choose_the_form():
    settings = (
        (3.0, 99, "float64"),
        (3.0, 100, "float64"),
        (3.0, 10, "float32"),
        (6e304, 10, "float64"),
        (1e305, 10, "float64"),
    )
    found = [choose_sine(omega, dim, 800, dtype, 1.0) for omega, dim, dtype in settings]
    assert [type(one) for one in found] == [SineByTable, Sine, Sine, SineByTable, Sine]


@pytest.mark.parametrize("dim", [99, 100])
@pytest.mark.parametrize("omega", [6e304, 1e305, 1.7e308])
def test_a_huge_omega_has_a_sine(omega, dim):
    x = np.array([0.0, 1e-310, 0.1 / omega, 1.0])
    out = np.empty_like(x)
    choose_sine(omega, dim, 4, "float64", 1.0)(x, out)
    assert out[:3] == pytest.approx(np.sin(omega * x[:3]), rel=1e-14)
    assert abs(out[3]) <= 1.0


def test_tables_and_numbers_are_made_once():
    def plan_all():
        for k in range(20):
            choose_sine(1.0 + k, 10, 80, "float64", 3.0 + k)
            choose_sine(1.0 + k, 100, 800, "float64", 3.0 + k)

    plan_all()
    kept = (scale_turn, half_turns)
    before = [f.cache_info().misses for f in kept]
    plan_all()
    assert [f.cache_info().misses for f in kept] == before
    assert not scale_turn(3.0).flags.writeable
