"""The sine of large float64 arrays, by a polynomial.

NumPy's float64 sine is the C library's, one number after another: 16 ns a number, where the
polynomial takes 2.8 (docs/design.md, "A sine of additions and multiplications").  The polynomial is
24 calls, so below some 800 numbers NumPy's is faster.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kavg.base import Floats

BLOCK: Final = 8192
"""Numbers computed at once: with two arrays of the same size they fit into the cache."""

POLYNOMIAL_DIM: Final = 100
"""Coordinates from which on the polynomial is used.

The choice must depend on the problem alone: one by the size of a tile would let tiles change bits.
"""

QUOTIENT: Final = tuple(
    np.array(c)
    for c in (
        -0.0010057071302593576,
        0.011700148974859654,
        -0.10127479441363349,
        0.6927968586177335,
        -3.646752364831226,
        14.182954388478867,
        -38.51295534186807,
        67.07762091738222,
        -64.83584404672554,
        25.132741228718345,
    )
)
"""``sin(2 pi f) / (f (1/4 - f^2))`` as a polynomial in ``f^2`` on [0, 1/4], highest power first.

Interpolated at the ten Chebyshev nodes in 60 digits; the relative error is below 1.2e-17, and
1e-16 once the coefficients are rounded.
"""
_QUARTER: Final = np.array(0.25)


def sine(x: Floats, omega: float, out: Floats) -> None:
    """Write ``sin(omega x)`` to ``out``; ``x, out (..., d)``.

    In single precision NumPy's own is used whatever d is, as it has vector instructions.

    >>> x = np.array([0.0, 0.5, 1.0, 1.5])
    >>> out = np.empty(4)
    >>> sine(x, np.pi, out)
    >>> out.round(15)
    array([ 0.,  1.,  0., -1.])
    """
    if x.dtype == np.float32 or x.shape[-1] < POLYNOMIAL_DIM:
        np.multiply(x, omega, out=out)
        np.sin(out, out=out)
    else:
        np.multiply(x, omega / (2 * np.pi), out=out)
        sine_of_turns(out)


def sine_of_turns(turns: Floats) -> None:
    """Replace each float64 t, a number of turns, by ``sin(2 pi t)``, with an error below 4e-16.

    With ``f = t - rint(t)``, which is exact, the sine is ``f (1/4 - f^2)`` times a polynomial in
    ``f^2``: the two factors vanish where the sine does, so that its relative error is small there.
    Workspace of at most ``2 BLOCK`` numbers is allocated.

    >>> t = np.array([0.0, 0.25, 0.5, 1e9 + 0.75])
    >>> sine_of_turns(t)
    >>> t
    array([ 0.,  1.,  0., -1.])
    """
    flat = turns.reshape(-1)
    work = np.empty((2, min(flat.size, BLOCK)))
    for first in range(0, flat.size, BLOCK):
        block = flat[first : first + BLOCK]
        _sine(block, *work[:, : block.size])
    if not turns.flags.c_contiguous:  # then ``flat`` is a copy
        turns[...] = flat.reshape(turns.shape)


def _sine(t: Floats, f: Floats, square: Floats) -> None:
    np.rint(t, out=f)
    np.subtract(t, f, out=f)
    np.multiply(f, f, out=square)
    # Horner's scheme, highest power first.
    highest, *others, last = QUOTIENT
    np.multiply(square, highest, out=t)
    for coefficient in others:
        np.add(t, coefficient, out=t)
        np.multiply(t, square, out=t)
    np.add(t, last, out=t)
    np.multiply(t, f, out=t)
    np.subtract(_QUARTER, square, out=square)
    np.multiply(t, square, out=t)
