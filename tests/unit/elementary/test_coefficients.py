"""The coefficients in the modules are those that the script makes."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from helpers.experiment import experiment

from kavg.elementary import exponential, logarithm, sine

POLYNOMIALS = {one.name: one for one in experiment("elementary/coefficients").polynomials()}
HOMES = {
    name: module
    for module in (exponential, logarithm, sine)
    for name in vars(module)
    if name[:-2] in ("SINE", "COSINE", "LOG", "EXP")
}


@pytest.mark.parametrize("name", HOMES)
def test_coefficients_are_those_of_the_script(name):
    with localcontext(prec=60):
        assert getattr(HOMES[name], name) == tuple(POLYNOMIALS[name].rounded())


def test_every_polynomial_has_a_home():
    assert set(POLYNOMIALS) == set(HOMES)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_are_near_their_functions(name):
    one = POLYNOMIALS[name]
    with localcontext(prec=60):
        error = one.error([Decimal(c) for c in one.rounded()])
    # What multiplies the error of p is small in logarithms and exponentials.
    assert error < 4e-7 if one.dtype == "float32" else 5e-16


def test_log_2_in_parts():
    with localcontext(prec=60):
        exact = Decimal(2).ln()
        for high, low, bits, off in (
            (logarithm.LN2_HIGH, logarithm.LN2_LOW, 32, 1e-25),
            (exponential.LN2_HIGH32, exponential.LN2_LOW32, 16, 1e-12),
        ):
            assert (high * 2.0**bits).is_integer()
            assert abs(Decimal(high) + Decimal(low) - exact) < off
    assert np.log(2) == logarithm.LN2
