"""The sine by a table of a whole turn: fewer calls than ``kavg.elementary.sine``, for few numbers.

A turn has N = 2^14 steps of ``h = 2 pi / N``.  With ``t = omega x / h``, k the whole number nearest
to t, ``f = t - k``, which is exact, and ``S, C`` the sine and cosine of ``k h``,

    sin(omega x) = S cos(h f) + C sin(h f) = S + g (sqrt(2) C - S g) + S e,    |f| <= 1/2,

where ``g = sin(h f) / sqrt(2)`` is computed as ``f (STEP + CUBE f^2)``, right to 1e-17 of itself,
and ``0 >= e >= -(h/2)^4 / 8 = -1.7e-16`` is left out.  Two numbers for each k, S and ``sqrt(2) C``,
lie side by side as one complex number, so that a call takes both.

*Error*: at most 3.5e-16, and 6e-16 relative, against the sine of ``h t``; t itself is off as it is
in ``kavg.elementary.sine``.  Zeros and signs are as there.  From ``|t| = 2^51`` on, some 8.6e11 in
the argument of the sine, where it is off by 2e-4 already, values are some of [-1, 1]; where t
overflows they are NaN.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial, isinf, isqrt
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.elementary.block_function import BLOCK, BlockFunction
from kavg.elementary.polynomial import as_coefficients
from kavg.elementary.sine import PI, Sine, half_turns

STEPS: Final = 2**14
WIDE_DIM: Final = 100
"""Coordinates from which on the polynomial is faster, as there are many numbers to a call."""
BITS: Final = 100
"""Binary places of the whole numbers that the table is made of."""
ONE: Final = 1 << BITS
ROOT: Final = isqrt(2 * ONE * ONE)
"""The square root of 2, times ``ONE``."""
STEP: Final = np.array(float(PI * ROOT / (ONE * STEPS)))
"""``h / sqrt(2)``."""
CUBE: Final = np.array(-float(PI**3 * ROOT * 2 / (ONE * STEPS**3 * 3)))
"""``-h^3 / (6 sqrt(2))``."""
ROUNDER: Final = np.array(1.5 * 2.0**52)
"""Its sum with a number has the nearest whole number as its last bits."""
ZERO: Final = np.array(0.0)
PLACE_IN_TURN: Final = np.array(STEPS - 1, np.intp)
KEPT: Final = 32
"""Factors whose tables are kept, 0.26 MB each."""


def choose_sine(omega: float, dim: int, size: int, dtype: Precision, scale: float) -> BlockFunction:
    """Return a planned ``scale sin(omega x)`` of up to ``size`` numbers, rows of ``dim``.

    ``dim``, the precision and ``omega`` alone choose between polynomial and table: the number of
    rows must not change bits.

    >>> [type(choose_sine(3.0, dim, 800, "float64", 1.0)).__name__ for dim in (10, 100)]
    ['SineByTable', 'Sine']
    """
    if dim >= WIDE_DIM or dtype == "float32" or isinf(steps_of(omega)):
        return Sine(omega, size, dtype, scale)
    return SineByTable(omega, size, scale)


@final
class SineByTable(BlockFunction):
    """Planned ``scale sin(omega x)`` of up to ``size`` float64 numbers, by 15 calls.

    The scale is folded into the table.

    >>> x, out = np.array([0.0, 0.5, 1.5]), np.empty(3)
    >>> SineByTable(np.pi, size=3, scale=2.0)(x, out)
    >>> out
    array([ 0.,  2., -2.])
    """

    def __init__(self, omega: float, size: int, scale: float = 1.0) -> None:
        super().__init__(size, "float64")
        self.take = scale_turn(scale).take
        (self.factor,) = as_coefficients([steps_of(omega)])
        n = min(size, BLOCK)
        self.work = *np.empty((2, n)), np.empty(n, np.complex128)

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        """Return what steps leave, their number with its bits, and an entry with its parts."""
        f, k, entry = (array[:n] for array in self.work)
        return f, k, k.view(np.intp), entry, entry.real, entry.imag

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        """Write ``scale sin(omega x)`` of a block."""
        f, k, place, entry, S, C = work
        np.multiply(x, self.factor, f)
        # The last bits of t + rounder are k, and of these the last 14 the place in a turn.
        np.add(f, ROUNDER, k)
        np.bitwise_and(place, PLACE_IN_TURN, place)
        self.take(place, None, entry, "clip")
        # Not k - rounder, which is far from f beyond 2^51.
        np.rint(f, k)
        # -0.0 - 0.0 is -0.0, but -0.0 less itself is 0.0.
        np.add(k, ZERO, k)
        np.subtract(f, k, f)
        np.multiply(f, f, k)
        np.multiply(k, CUBE, k)
        np.add(k, STEP, k)
        np.multiply(f, k, f)  # g
        np.multiply(S, f, k)
        np.subtract(C, k, k)
        np.multiply(k, f, k)
        np.add(k, S, out)


def steps_of(omega: float) -> float:
    """Return ``omega / h``, infinite above 6.9e304.

    >>> steps_of(2 * np.pi), steps_of(1e305)
    (16384.0, inf)
    """
    return half_turns(omega) * (STEPS / 2)


@lru_cache(maxsize=KEPT)
def scale_turn(scale: float) -> NDArray[np.complex128]:
    """Return ``scale`` times the entries of ``tabulate_turn``, read-only."""
    table = tabulate_turn() * scale
    table.flags.writeable = False
    return table


@lru_cache(maxsize=1)
def tabulate_turn() -> NDArray[np.complex128]:
    """Return ``sin(k h) + i sqrt(2) cos(k h)`` for k = 0, ..., N - 1, each correctly rounded.

    A quarter is made by turning a point in whole numbers of 100 bits; the rest are its images, so
    that the table is odd and even to the last bit.  The sine of 0 is -0.0, as the sum of that and
    either zero is the other.

    >>> table = tabulate_turn()
    >>> table[4096].real, table[0].imag == np.sqrt(2)
    (np.float64(1.0), np.True_)
    """
    sines = _quarter_of_sines()
    sine = _mirror_quarter([s / ONE for s in sines])
    cosine = np.roll(_mirror_quarter([(s * ROOT >> BITS) / ONE for s in sines]), -STEPS // 4)
    sine[0] = -0.0
    table = np.empty(STEPS, np.complex128)
    table.real, table.imag = sine, cosine
    table.flags.writeable = False
    return table


def _quarter_of_sines() -> list[int]:
    angle = int(2 * PI / STEPS * ONE)
    # A power series: the angle is below 2^-11, and its 9th power below 2^-99.
    powers = [angle**n // (factorial(n) * ONE ** (n - 1)) for n in (1, 3, 5, 7)]
    sine = powers[0] - powers[1] + powers[2] - powers[3]
    cosine = isqrt(ONE * ONE - sine * sine)
    s, c, sines = 0, ONE, list[int]()
    for _ in range(STEPS // 4 + 1):
        sines.append(s)
        s, c = (s * cosine + c * sine) >> BITS, (c * cosine - s * sine) >> BITS
    return sines


def _mirror_quarter(quarter: list[float]) -> NDArray[np.float64]:
    up = np.array(quarter)
    half = np.concatenate([up[:-1], up[:0:-1]])
    return np.concatenate([half, -half])
