"""The exponential by halving and a polynomial: the same bits on every machine.

``x = k log 2 + r`` with k the whole number nearest to ``x / log 2``, and

    exp x = 2^k exp r,    exp r = 1 + (r + r^2 p(r)),    |r| <= 0.3466,

where p interpolates ``(exp r - 1 - r) / r^2`` at the Chebyshev nodes of that interval
(``experiments/elementary/coefficients.py``), with degree 9 in float64 and 4 in float32.  log 2 is
parted into its first 32 bits, whose product with k is exact, and the rest.

*Error*: at most 1 ulp for ``exp`` and 2 for ``expm1`` in float64, 2 in float32.

Source: Tang 1989, "Table-driven implementation of the exponential function in IEEE floating-point
arithmetic", for the two parts of log 2.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
from kavg.elementary.logarithm import LN2, LN2_HIGH, LN2_LOW
from kavg.elementary.polynomial import as_coefficients, write_polynomial

EXP64: Final = (
    2.5090994763481952e-08,
    2.7620138786714003e-07,
    2.7557296382452384e-06,
    2.4801521143682e-05,
    0.0001984126983423981,
    0.0013888888917373253,
    0.008333333333341925,
    0.04166666666662346,
    0.16666666666666652,
    0.5000000000000001,
)
"""p in float64, highest power first."""
EXP32: Final = (
    0.0013930856,
    0.008363269,
    0.041666504,
    0.16666576,
    0.5,
)
"""p in float32, highest power first."""
LN2_HIGH32: Final = 0.693145751953125
"""The first 16 bits of log 2: its product with an exponent is exact in float32."""
LN2_LOW32: Final = 1.4286068e-06
"""log 2 less ``LN2_HIGH32``."""

_P64: Final = as_coefficients(EXP64)
_P32: Final = as_coefficients(EXP32, "float32")
_FACTOR, _HIGH, _LOW, _ONE, _ROUNDER = as_coefficients(
    (1 / LN2, LN2_HIGH32, LN2_LOW32, 1.0, 1.5 * 2.0**23), "float32"
)
_FRACTION_BITS: Final = np.array(23, np.uint32)
_BIAS: Final = np.array(127 << 23, np.uint32)


def exp(x: Floats) -> Floats:
    """Return ``exp x`` in float64; infinite above 709.79, and 0 below -745.14, without a warning.

    >>> exp(np.array([-np.inf, -1.0, 0.0, 1.0]))
    array([0.        , 0.36787944, 1.        , 2.71828183])
    """
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        k, r, rest = _reduce(np.minimum(np.maximum(x, -746.0), 710.0))
        return np.ldexp(1.0 + (r + rest), k)


def expm1(x: Floats) -> Floats:
    """Return ``exp x - 1`` in float64, to two ulp also near 0.

    ``exp x - 1 = 2^k ((1 - 2^-k) + (exp r - 1))``.

    >>> expm1(np.array([-np.inf, -0.0, 1e-300, 1.0]))
    array([-1.00000000e+000, -0.00000000e+000,  1.00000000e-300,  1.71828183e+000])
    """
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        # Below -40 the sum is rounded to -1.
        k, r, rest = _reduce(np.minimum(np.maximum(x, -40.0), 710.0))
        total = np.ldexp(((1.0 - np.ldexp(1.0, -k)) + r) + rest, k)
    # x itself where it is 0, with its sign.
    return np.where(x == 0.0, x, total)


def _reduce(x: Floats) -> tuple[NDArray[np.int32], Floats, Floats]:
    # k, r, and exp(r) - 1 - r with what the rounding of r lost; of NaN, r is NaN and k anything.
    rounded = np.rint(x * (1 / LN2))
    far, low = x - rounded * LN2_HIGH, rounded * LN2_LOW
    r = far - low
    lost = (far - r) - low
    rest = r * (r * write_polynomial(_P64, r, np.empty_like(r))) + lost
    return rounded.astype(np.int32), r, rest


def write_expm1_single(x: Floats, out: Floats, work: Floats) -> None:
    """Write ``exp x - 1`` of float32 numbers, ``|x| <= 87``, to ``out``, which may be ``x``.

    ``work (3, *x.shape)`` is workspace; nothing of that size is allocated.

    >>> x = np.array([0.0, 1e-6, 1.0], np.float32)
    >>> write_expm1_single(x, x, np.empty((3, 3), np.float32))
    >>> x
    array([0.0000000e+00, 1.0000005e-06, 1.7182819e+00], dtype=float32)
    """
    k, power, p = work
    np.multiply(x, _FACTOR, k)
    np.add(k, _ROUNDER, k)
    # The last bits of k + rounder are k: 2^k has the exponent k plus the bias.
    exponent = power.view(np.uint32)
    np.left_shift(k.view(np.uint32), _FRACTION_BITS, out=exponent)
    np.add(exponent, _BIAS, exponent)
    np.subtract(k, _ROUNDER, k)
    np.multiply(k, _HIGH, p)
    np.subtract(x, p, out)
    np.multiply(k, _LOW, p)
    np.subtract(out, p, out)
    write_polynomial(_P32, out, p)
    np.multiply(p, out, p)
    np.multiply(p, out, p)
    np.add(p, out, p)
    # 2^k (exp r - 1) + (2^k - 1)
    np.multiply(p, power, p)
    np.subtract(power, _ONE, power)
    np.add(p, power, out)
