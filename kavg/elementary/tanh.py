"""The hyperbolic tangent by a table, in operations that are the same on every machine.

NumPy's ``tanh`` has other last bits with AVX-512 than without, and in float64 takes four times as
long without.  Here ``x`` is rounded to a multiple ``z`` of ``h = 2^-m`` by adding ``1.5 2^52 h``:
the last bits of the sum are the place of z in a table, and ``t = x - z`` is exact.

**float64.**  With ``T = tanh(b z)`` and ``E(u) = u / tanh u`` the addition theorem says::

    tanh(b (z + t)) = T + (1 - T^2) b t / (E(b t) + T b t)

``E(u) = 1 + u^2 / 3 - u^4 / 45 + ...``.  As ``|b t| <= w = 2^-11``, the quartic term may become a
part of the square's: ``1 + u^2 (1/3 - EVEN w^2 / 45)`` is right to 2.2e-16.  A factor c is folded
into the table, which holds ``c T`` and ``c^2 (1 - T^2)``, so that ``c tanh(b x)`` takes 14 calls.
The error is below 4 units in the last place, 4.4e-16, where b and c are powers of 2, and below 5
elsewhere.

**float32.**  With ``|b t| <= 2^-12`` a line in each cell is right to a third of a unit in the last
place; the table holds its intercept and slope, and 7 calls are enough.  The error is below 2.5
units in the last place.

The functions are odd to the last bit, as the tables are and halves round to even.  Cells where the
nearest number is 1 have slope 0, which makes up for whatever t is there.  What is measured stands
in ``tests/unit/elementary/test_tanh.py``.
"""

from __future__ import annotations

from math import frexp, ldexp, sqrt
from typing import Any, Final, cast, final

import numpy as np
from numpy import add, copyto, divide, maximum, multiply, subtract  # 7 % faster than np.add
from numpy.typing import NDArray

from kavg.base import Floats, Precision
from kavg.elementary.block_function import BLOCK, BlockFunction
from kavg.elementary.tanh_tables import Grid, choose_grid, tabulate_lines, tabulate_quotients

MODERATE: Final[dict[Precision, float]] = {"float64": 2.0**100, "float32": 2.0**40}
"""Between this and its reciprocal ``b`` and ``|c|`` leave tables and steps far from overflow."""
EVEN: Final = 2.0 * (sqrt(2.0) - 1.0)
"""``v^2 - EVEN W v`` has one modulus at both of its extremes in ``0 <= v <= W``."""
SATURATED: Final = 40.0
"""A number with ``tanh = 1``, far from the tables' end."""


def plan_tanh(
    b: float, c: float, *, size: int, dtype: Precision, adds_x: bool = False
) -> BlockFunction:
    """Return a planned ``f(x, out)`` that writes ``c tanh(b x)``, or ``x + c tanh(b x)``.

    ``b > 0`` and ``c != 0`` are finite.  Arrays of up to ``size`` numbers of that precision, which
    must not overlap, are computed without allocation.  What becomes of infinities is not defined,
    huge numbers raise NumPy's flag of overflow in vain, and where ``c^2 x`` is subnormal digits are
    lost.

    >>> out = np.empty(3)
    >>> plan_tanh(2.0, -1.0, size=3, dtype="float64", adds_x=True)(np.array([0.0, 0.5, 9.0]), out)
    >>> out
    array([ 0.        , -0.26159416,  8.        ])
    """
    most = MODERATE[dtype]
    n = max(1, min(size, BLOCK))
    if not (1 / most <= b <= most and 1 / most <= abs(c) <= most):
        return _ExtremeTanh(b, c, n, dtype, adds_x)
    kind = _QuotientTanh if dtype == "float64" else _LineTanh
    return kind(b, c, n, adds_x)


def tanh(x: Floats) -> Floats:
    """Return ``tanh x`` of float64 or float32 numbers of any size, infinite ones included.

    >>> tanh(np.array([-np.inf, -0.0, 0.5, np.nan]))
    array([-1.        , -0.        ,  0.46211716,         nan])
    """
    out = np.empty_like(x)
    most = x.dtype.type(SATURATED)
    plan = plan_tanh(1.0, 1.0, size=x.size, dtype=cast(Precision, x.dtype.name))
    plan(np.clip(x, -most, most), out)
    return out


@final
class _QuotientTanh(BlockFunction):
    """``c tanh(b x)`` in float64, a quotient in each cell."""

    def __init__(self, b: float, c: float, n: int, adds_x: bool) -> None:
        super().__init__(n, "float64")
        grid = choose_grid(b, "float64")
        self.take = tabulate_quotients(b, c, grid).take
        self.rounder, self.least_bits = grid.rounder, grid.least_bits
        widest = (0.5 * b * grid.step) * (0.5 * b * grid.step)
        self.constant = np.array(c / b)
        self.square = np.array(c * b * (1.0 / 3.0 - EVEN * widest / 45.0))
        self.adds_x = adds_x
        self.work = *_work(grid, n), np.empty(n, np.intp), np.empty(n, np.complex128)

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        low, z, place, entry = (array[:n] for array in self.work)
        return low, z, z.view(np.int64), place, entry, entry.real, entry.imag

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        low, z, bits, place, entry, T, slope = work
        # Of numbers far below the grid the difference of bits would wrap around.
        maximum(x, low, out=out)
        add(out, self.rounder, z)
        subtract(bits, self.least_bits, place)
        self.take(place, None, entry, "clip")
        subtract(z, self.rounder, z)
        subtract(out, z, out)  # t
        multiply(out, self.square, z)
        add(z, T, z)
        multiply(z, out, z)
        add(z, self.constant, z)  # c (E(b t) + T b t) / b
        multiply(out, slope, out)
        divide(out, z, out)
        add(out, T, out)
        if self.adds_x:
            add(out, x, out)


@final
class _LineTanh(BlockFunction):
    """``c tanh(b x)`` in float32, a line in each cell."""

    def __init__(self, b: float, c: float, n: int, adds_x: bool) -> None:
        super().__init__(n, "float32")
        grid = choose_grid(b, "float32")
        self.take = tabulate_lines(b, c, grid, adds_x).take
        self.rounder, self.least_bits = grid.rounder, grid.least_bits
        self.work = *_work(grid, n), np.empty(n, np.intp), np.empty(n, np.complex64)

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        low, z, place, entry = (array[:n] for array in self.work)
        return low, z, z.view(np.int32), place, entry, entry.real, entry.imag

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        low, z, bits, place, entry, intercept, slope = work
        maximum(x, low, out=z)
        add(z, self.rounder, z)
        subtract(bits, self.least_bits, bits)
        # Two calls, as one with two types would allocate a buffer.
        copyto(place, bits)
        self.take(place, None, entry, "clip")
        multiply(x, slope, out)
        add(out, intercept, out)


@final
class _ExtremeTanh(BlockFunction):
    """``c tanh(b x)`` for numbers b, c that are not moderate, computed as ``c tanh(b' (s x))``.

    ``s`` is a power of 2 with ``1 <= b' < 2``, and all is float64, whatever the precision.
    """

    def __init__(self, b: float, c: float, n: int, dtype: Precision, adds_x: bool) -> None:
        super().__init__(n, dtype)
        fraction, exponent = frexp(b)
        self.scale, self.c = ldexp(1.0, exponent - 1), c
        self.tanh = _QuotientTanh(2.0 * fraction, 1.0, n, adds_x=False)
        self.adds_x = adds_x
        self.work = np.empty((2, n))

    def views(self, n: int) -> tuple[NDArray[Any], ...]:
        return self.work[0, :n], self.work[1, :n]

    def compute(self, x: Floats, out: Floats, *work: Any) -> None:
        scaled, result = work
        np.copyto(scaled, x)
        np.multiply(scaled, self.scale, out=scaled)
        np.clip(scaled, -SATURATED, SATURATED, out=scaled)
        self.tanh(scaled, result)
        np.multiply(result, self.c, out=result)
        if self.adds_x:
            np.add(result, x, out=result)
        np.copyto(out, result, casting="same_kind")


def _work(grid: Grid, n: int) -> tuple[Floats, Floats]:
    """Return the least multiple and room for rounded numbers, ``(n,)`` each."""
    # NumPy has no vector instructions for the maximum of an array and a single number.
    low = np.full(n, -grid.K * grid.step, grid.dtype)
    return low, np.empty(n, grid.dtype)
