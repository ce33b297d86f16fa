"""The logarithm from exponent and significand: the same bits on every machine.

``x = 2^k m`` with m in [sqrt(1/2), sqrt(2)) and ``f = m - 1``, which is exact.  With
``s = f / (2 + f)`` and ``q = s^2``,

    log m = 2 artanh s = 2s + s R(q),    R(q) = q p(q),    0 <= q <= 0.0295,

where p interpolates ``2/3 + 2q/5 + 2q^2/7 + ...`` at the Chebyshev nodes of that interval
(``experiments/elementary/coefficients.py``), with degree 6 in float64 and 2 in float32.  As
``2s = f - s f``, the sum is formed as f less a correction: f is exact, so what the division and
the polynomial lose counts only as far as the correction is smaller than f.

*Error*: at most 1 ulp in float64 and 2 in float32, also near 1.

Source: Tang 1990, "Table-driven implementation of the logarithm function in IEEE floating-point
arithmetic", for the quotient s; the correction is that of the C library of 4.4BSD.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kavg.base import Floats
from kavg.elementary.polynomial import as_coefficients, write_polynomial

LOG64: Final = (
    0.1461635573642017,
    0.1533173124224571,
    0.18182888737347105,
    0.22222211142503226,
    0.2857142862589754,
    0.3999999999989987,
    0.666666666666667,
)
"""p in float64, highest power first."""
LOG32: Final = (
    0.29584762,
    0.39988577,
    0.66666687,
)
"""p in float32, highest power first."""
SQRT_HALF: Final = 0.7071067811865476
LN2_HIGH: Final = 0.6931471803691238
"""The first 32 bits of log 2: its product with an exponent is exact."""
LN2_LOW: Final = 1.9082149292705877e-10
"""log 2 less ``LN2_HIGH``."""
LN2: Final = 0.6931471805599453

_P64: Final = as_coefficients(LOG64)
_P32: Final = as_coefficients(LOG32, "float32")
_LN2_32, _ONE, _TWO = as_coefficients((LN2, 1.0, 2.0), "float32")
_SQRT_HALF_BITS: Final = np.array(0x3F3504F3, np.int32)
_EXPONENT: Final = np.array(-(2**23), np.int32)
_FRACTION_BITS: Final = np.array(23, np.int32)


def log(x: Floats) -> Floats:
    """Return ``log x`` in float64; minus infinity at 0 and NaN below, without a warning.

    >>> log(np.array([0.0, 0.5, 1.0, np.e, np.inf]))
    array([       -inf, -0.69314718,  0.        ,  1.        ,         inf])
    """
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        return _with_limits(_log_of_sum(x, np.zeros_like(x)), x)


def log1p(x: Floats) -> Floats:
    """Return ``log(1 + x)`` in float64, to an ulp also near 0; limits as those of ``log``.

    The sum ``u = fl(1 + x)`` is off by a known number c: ``log(1 + x) = log u + c/u``, to rounding.

    >>> log1p(np.array([-1.0, -0.0, 1e-300, 1.0]))
    array([       -inf, -0.00000000e+000,  1.00000000e-300,  6.93147181e-001])
    """
    x = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        u = 1.0 + x
        total = _with_limits(_log_of_sum(u, (x - (u - 1.0)) / u), u)
    # x itself where it is 0, with its sign.
    return np.where(x == 0.0, x, total)


def _log_of_sum(u: Floats, correction: Floats) -> Floats:
    # log u + correction, for a correction of at most half an ulp of u, over u.
    m, exponent = np.frexp(u)
    is_low = m < SQRT_HALF
    f = np.where(is_low, 2.0 * m, m) - 1.0
    k = (exponent - is_low).astype(np.float64)
    s = f / (2.0 + f)
    q = s * s
    R = q * write_polynomial(_P64, q, np.empty_like(q))
    half = 0.5 * f * f
    # s (half + R) = half - (2s + s R - f): what is left is subtracted from f, smallest first.
    total: Floats = k * LN2_HIGH - ((half - (s * (half + R) + (k * LN2_LOW + correction))) - f)
    return total


def _with_limits(logarithms: Floats, x: Floats) -> Floats:
    if np.logical_and(x > 0.0, x < np.inf).all():
        return logarithms
    found = np.where(x > 0.0, logarithms, np.where(x == 0.0, -np.inf, np.nan))
    return np.where(x == np.inf, x, found)


def write_log_single(x: Floats, out: Floats, work: Floats) -> None:
    """Write ``log x`` of normal float32 numbers ``x > 0`` to ``out``, which may be ``x``.

    ``work (4, *x.shape)`` is workspace; nothing of that size is allocated.

    >>> x = np.array([0.25, 0.5, 1.0], np.float32)
    >>> write_log_single(x, x, np.empty((4, 3), np.float32))
    >>> x
    array([-1.3862944, -0.6931472,  0.       ], dtype=float32)
    """
    s, q, p, k = work
    exponent, kept, bits, target = (a.view(np.int32) for a in (s, q, x, out))
    # Exponents step at sqrt(1/2) and not at 1/2, so that m is around 1.
    np.subtract(bits, _SQRT_HALF_BITS, exponent)
    np.bitwise_and(exponent, _EXPONENT, kept)
    np.subtract(bits, kept, target)
    np.right_shift(exponent, _FRACTION_BITS, exponent)
    np.copyto(k, exponent)
    np.subtract(out, _ONE, out)
    np.add(out, _TWO, s)
    np.divide(out, s, s)
    np.multiply(s, s, q)
    write_polynomial(_P32, q, p)
    np.multiply(p, q, p)
    # f - s (f - R)
    np.subtract(out, p, p)
    np.multiply(p, s, p)
    np.subtract(out, p, out)
    np.multiply(k, _LN2_32, k)
    np.add(out, k, out)
