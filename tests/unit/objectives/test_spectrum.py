"""Spectra equally spaced in the logarithm, against decimal arithmetic."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from math import ulp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.objectives import LogSpectrum
from kavg.objectives.spectrum import FEW

NUMBERS = st.floats(min_value=0.0, exclude_min=True, allow_infinity=False)


def exact(spectrum, i):
    with localcontext(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN):
        low, high = Decimal(spectrum.low), Decimal(spectrum.high)
        return low * ((high / low).ln() * i / (spectrum.dim - 1)).exp()


@settings(max_examples=50)
@given(NUMBERS, NUMBERS, st.one_of(st.integers(2, 9), st.sampled_from([FEW, FEW + 1, 1000])))
def test_eigenvalues_are_right_to_the_last_places(one, other, dim):
    spectrum = LogSpectrum(min(one, other), max(one, other), dim)
    found = spectrum.eigenvalues
    assert (found[0], found[-1]) == (spectrum.low, spectrum.high)
    places = 0.5 if dim <= FEW else 2.0
    for i in {1, dim // 3, dim // 2, dim - 2} - {0}:
        if found[i] > 1e-300 or dim <= FEW:
            off = abs(Decimal(float(found[i])) - exact(spectrum, i))
            assert off <= Decimal(places * 1.0001) * Decimal(ulp(found[i]))


@given(NUMBERS, NUMBERS, st.integers(2, 300))
def test_eigenvalues_do_not_leave_their_interval(one, other, dim):
    spectrum = LogSpectrum(min(one, other), max(one, other), dim)
    assert len(spectrum.eigenvalues) == dim
    assert (spectrum.eigenvalues >= spectrum.low).all()
    assert (spectrum.eigenvalues <= spectrum.high).all()


@pytest.mark.parametrize("dim", [1, 2, 50, 500])
def test_equal_ends_give_equal_eigenvalues(dim):
    assert (LogSpectrum(0.3, 0.3, dim).eigenvalues == 0.3).all()


def test_powers_of_two_are_exact():
    assert LogSpectrum(1.0, 1024.0, 11).eigenvalues.tolist() == [2.0**i for i in range(11)]
    assert LogSpectrum(2.0**-99, 2.0**-1, 99).eigenvalues[::49].tolist() == [
        2.0**-99,
        2.0**-50,
        0.5,
    ]
