"""Polynomials by Horner's scheme."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kavg.base import Floats, Precision

Coefficients = tuple[Floats, ...]
"""Arrays without axes, highest power first."""


def as_coefficients(values: Sequence[float], dtype: Precision = "float64") -> Coefficients:
    """Return numbers as arrays without axes, which NumPy multiplies by faster than by numbers.

    >>> as_coefficients([0.5], "float32")
    (array(0.5, dtype=float32),)
    """
    if dtype == "float64":
        return tuple(np.array(value, dtype) for value in values)
    # Beyond float32 a number becomes infinite or 0, as products in float32 would.
    with np.errstate(over="ignore", under="ignore"):
        return tuple(np.array(value, dtype) for value in values)


def write_polynomial(coefficients: Coefficients, x: Floats, out: Floats) -> Floats:
    """Write ``((c_0 x + c_1) x + ...) x + c_n`` to ``out``, apart from ``x``, and return it.

    ``n >= 1``; an addition and a product for each power, and nothing is allocated.

    >>> write_polynomial(as_coefficients([2.0, 0.0, -1.0]), np.array([0.0, 3.0]), np.empty(2))
    array([-1., 17.])
    """
    np.multiply(x, coefficients[0], out)
    for coefficient in coefficients[1:-1]:
        np.add(out, coefficient, out)
        np.multiply(out, x, out)
    return np.add(out, coefficients[-1], out)
