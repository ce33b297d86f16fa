"""The sine by rounding to half turns and a polynomial: the same bits on every machine.

With ``t = omega x / pi``, k the whole number nearest to t and ``f = t - k``, which is exact,

    sin(omega x) = (-1)^k sin(pi f),    sin(pi f) = f p(f^2),    |f| <= 1/2.

p interpolates ``sin(pi sqrt(w)) / sqrt(w)`` at Chebyshev nodes, 0 and 1/4 among them
(``experiments/elementary/coefficients.py``), with degree 7 in float64 and 4 in float32.

*Error.*  Against ``(-1)^k sin(pi f)`` at most 5e-16 in float64 and 1.8e-7 in float32, and relative
where ``|f| < 1/4`` 4e-16 and 1.4e-7.  Zeros and peaks are exact, values beside a peak exceed 1 by
one unit in the last place at most, the function is odd, and -0.0 stays.  The product t is off by
one rounding of ``omega / pi`` and one of its own, in all ``2^-52 |omega x|`` in the argument of
the sine: as much as a C library's sine loses to the product ``omega x`` and to an omega that is
rounded.  From ``|t| = 2^51`` on (``2^22``) half turns are not told apart, and values are some of
[-1, 1].  Infinite numbers give NaN.

Every operation is one that IEEE 754 or integer arithmetic defines exactly, and elementwise.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.elementary.block_function import BLOCK, BlockFunction
from kavg.elementary.polynomial import Coefficients, as_coefficients, write_polynomial

PI: Final = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")

SINE64: Final = (
    -2.1132992845266383e-05,
    0.00046598732898930434,
    -0.007370364780075345,
    0.08214587896543069,
    -0.5992645288465328,
    2.5501640398632683,
    -5.167712780049823,
    3.141592653589793,
)
"""p in float64, highest power first."""
SINE32: Final = (
    0.0777468,
    -0.5983647,
    2.5500968,
    -5.167712,
    3.1415927,
)
"""p in float32, highest power first."""
COSINE32: Final = (
    -0.024183089,
    0.23478895,
    -1.335175,
    4.0587053,
    -4.934802,
    1.0,
)
"""``cos(pi sqrt(w))`` on [0, 1/4] in float32, highest power first."""
KEPT: Final = 64
"""Pairs of an omega and a scale whose numbers are kept."""
SINES: Final[dict[Precision, tuple[float, ...]]] = {"float64": SINE64, "float32": SINE32}
_SINES32: Final = as_coefficients(SINE32, "float32")
_COSINES32: Final = as_coefficients(COSINE32, "float32")


@final
class WholeNumbers:
    """What rounds numbers of a precision to whole ones.

    ``t + rounder`` has a spacing of 1, and its last bit is the parity of the whole number nearest
    to t, as ``rounder = 1.5 2^52`` (float64) is even.  Shifted by ``sign_place`` it is a sign.
    """

    def __init__(self, dtype: Precision) -> None:
        limits = np.finfo(dtype)
        self.bits = np.dtype(f"uint{limits.bits}")
        self.rounder = np.array(1.5 * 2.0**limits.nmant, dtype)
        self.sign_place = np.array(limits.bits - 1, self.bits)
        self.zero = np.array(0.0, dtype)


WHOLE_NUMBERS: Final[dict[Precision, WholeNumbers]] = {
    "float64": WholeNumbers("float64"),
    "float32": WholeNumbers("float32"),
}


@final
class Sine(BlockFunction):
    """Planned ``scale sin(omega x)`` of up to ``size`` numbers of one precision.

    The scale is folded into the polynomial, so that it costs no pass.

    >>> x, out = np.array([0.0, 0.5, 1.5]), np.empty(3)
    >>> Sine(np.pi, size=3, scale=2.0)(x, out)
    >>> out
    array([ 0.,  2., -2.])
    """

    def __init__(
        self, omega: float, size: int, dtype: Precision = "float64", scale: float = 1.0
    ) -> None:
        super().__init__(size, dtype)
        self.half_turns, *polynomial = _prepare_numbers(omega, scale, dtype)
        self.polynomial = tuple(polynomial)
        self.whole = WHOLE_NUMBERS[dtype]
        self.work = np.empty((3, min(size, BLOCK)), dtype)

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        """Return what half turns leave, its square and the sign, and the bits of two of them."""
        f, w, shifted = self.work[:, :n]
        return f, w, shifted, f.view(self.whole.bits), shifted.view(self.whole.bits)

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        """Write ``scale sin(omega x)`` of a block."""
        f, w, shifted, f_bits, sign = work
        whole = self.whole
        np.multiply(x, self.half_turns, f)
        np.add(f, whole.rounder, shifted)
        np.left_shift(sign, whole.sign_place, sign)
        # Not shifted - rounder, which is far from f beyond 2^51.
        np.rint(f, w)
        # -0.0 - 0.0 is -0.0, but -0.0 less itself is 0.0.
        np.add(w, whole.zero, w)
        np.subtract(f, w, f)
        np.multiply(f, f, w)
        np.bitwise_xor(f_bits, sign, f_bits)
        write_polynomial(self.polynomial, w, out)
        np.multiply(out, f, out)


@lru_cache(maxsize=KEPT)
def _prepare_numbers(omega: float, scale: float, dtype: Precision) -> Coefficients:
    # Where F is recorded, or ``grad`` is called, a sine is planned for each call.
    return as_coefficients([half_turns(omega), *(scale * c for c in SINES[dtype])], dtype)


@lru_cache(maxsize=KEPT)
def half_turns(omega: float) -> float:
    """Return ``omega / pi``, correctly rounded.

    >>> half_turns(2 * np.pi), half_turns(1.0)
    (2.0, 0.3183098861837907)
    """
    return float(Fraction(omega) / PI)


def sine(x: Floats, omega: float, out: Floats) -> Floats:
    """Write ``sin(omega x)`` to ``out`` and return it; ``x, out`` of any shape, and of one dtype.

    Each call allocates its workspace; ``Sine`` plans it.

    >>> x = np.array([0.0, 0.5, 1.0, 1.5])
    >>> sine(x, np.pi, np.empty(4))
    array([ 0.,  1., -0., -1.])
    """
    Sine(omega, x.size, "float32" if x.dtype == np.float32 else "float64")(x, out)
    return out


def sine_cosine_of_half_turns(turns: Floats, sine: Floats, cosine: Floats, work: Floats) -> None:
    """Write ``sin(pi t)`` and ``cos(pi t)`` of float32 ``turns``, ``|t| <= 2^22``.

    ``work (2, *turns.shape)`` is workspace; ``turns`` is overwritten.  The error is below 1.5e-7.

    >>> t = np.array([-1.0, -0.5, 0.0, 0.5], np.float32)
    >>> sine, cosine, work = np.empty_like(t), np.empty_like(t), np.empty((2, 4), np.float32)
    >>> sine_cosine_of_half_turns(t, sine, cosine, work)
    >>> sine.tolist(), cosine.tolist()
    ([-0.0, -1.0, 0.0, 1.0], [-1.0, 0.0, 1.0, 0.0])
    """
    whole, (shifted, w) = WHOLE_NUMBERS["float32"], work
    sign, turns_bits, cosine_bits = (a.view(whole.bits) for a in (shifted, turns, cosine))
    np.add(turns, whole.rounder, shifted)
    np.subtract(shifted, whole.rounder, w)
    np.left_shift(sign, whole.sign_place, sign)
    np.subtract(turns, w, turns)
    np.multiply(turns, turns, w)
    np.bitwise_xor(turns_bits, sign, turns_bits)
    write_polynomial(_SINES32, w, sine)
    np.multiply(sine, turns, sine)
    write_polynomial(_COSINES32, w, cosine)
    np.bitwise_xor(cosine_bits, sign, cosine_bits)
