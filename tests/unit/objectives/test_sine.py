"""The sine of wide problems: how far off, and the same bits in any company."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.objectives import sine as module
from kavg.objectives.sine import BLOCK, POLYNOMIAL_DIM, sine, sine_of_turns

PRECISE = np.finfo(np.longdouble).eps < 1e-18
PI = 4 * np.arctan(np.longdouble(1))


def sine_of(turns):
    found = np.array(turns, np.float64)
    sine_of_turns(found)
    return found


@pytest.mark.skipif(not PRECISE, reason="no longer numbers to compare with")
@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e-3, 0.1, 0.5, 3.0, 1e6, 1e12])
def test_sine_is_right_to_the_last_places(scale):
    t = np.random.default_rng(1).uniform(-scale, scale, 100_000)
    exact = np.sin(2 * PI * (t - np.rint(t)).astype(np.longdouble))
    off = np.abs(sine_of(t) - exact)
    assert off.max() < 4e-16
    small = np.abs(t - np.rint(t)) < 0.25
    assert (off <= 5e-16 * np.abs(exact))[small].all()


def test_sine_is_exact_at_multiples_of_a_quarter():
    whole = np.arange(-50.0, 51.0)
    assert (sine_of(whole / 2) == 0).all()
    assert np.array_equal(np.abs(sine_of(whole + 0.25)), np.ones(101))
    assert np.array_equal(sine_of(-whole / 7), -sine_of(whole / 7))
    assert np.array_equal(sine_of([2.0**60, 5e-324]), [0.0, 5e-324 * 6])


def test_the_sine_of_infinity_is_nan():
    with np.errstate(invalid="ignore"):
        assert np.isnan(sine_of([np.inf, -np.inf, np.nan])).all()


@given(size=st.integers(0, 5), extra=st.integers(-1, 1), cut=st.integers(0, 200))
def test_neighbours_do_not_change_bits(size, extra, cut):
    t = np.random.default_rng(size).normal(size=max(1, size * BLOCK + extra))
    cut = min(cut, len(t))
    apart = np.concatenate([sine_of(t[:cut]), sine_of(t[cut:])])
    assert apart.tobytes() == sine_of(t).tobytes()


@pytest.mark.parametrize("layout", [np.s_[:, :], np.s_[::2, :], np.s_[:, ::-1], np.s_[:, 1:5]])
def test_any_layout_of_memory(layout):
    plane = np.random.default_rng(1).normal(size=(300, 70))
    expected, rest = sine_of(plane[layout]), plane.copy()
    rest[layout] = expected
    sine_of_turns(plane[layout])
    assert plane.tobytes() == rest.tobytes()
    upright = np.asfortranarray(rest)
    sine_of_turns(upright)
    assert np.array_equal(upright, sine_of(rest))


def test_narrow_problems_and_single_precision_take_that_of_numpy(monkeypatch):
    monkeypatch.setattr(module, "sine_of_turns", None)
    narrow = np.linspace(-9, 9, POLYNOMIAL_DIM - 1)
    single = np.linspace(-9, 9, POLYNOMIAL_DIM, dtype=np.float32)
    for x in (narrow, single):
        out = np.empty_like(x)
        sine(x, 1.7, out)
        assert np.array_equal(out, np.sin(x * x.dtype.type(1.7)))


def test_wide_problems_do_not():
    x = np.linspace(-9, 9, POLYNOMIAL_DIM)
    out = np.empty_like(x)
    sine(x, 1.7, out)
    assert np.array_equal(out, sine_of(x * (1.7 / (2 * np.pi))))
    assert np.abs(out - np.sin(1.7 * x)).max() < 4e-15
