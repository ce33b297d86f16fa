"""Powers of a number to whole exponents, of products alone.

Python's ``**`` of floats calls the C library, whose last bits are its own affair.
"""

from __future__ import annotations


def raise_to_power(base: float, exponent: int) -> float:
    """Return ``base^exponent`` for a whole exponent of at least 0, by repeated squaring.

    It takes ``2 log2(exponent)`` products at most.  With ``u = 2^-53`` the relative error is below
    ``exponent u``, to first order.

    >>> raise_to_power(0.5, 10), raise_to_power(3.0, 0)
    (0.0009765625, 1.0)
    """
    power, square = 1.0, base
    # The bits of the exponent from the lowest on, each with its square of the square before.
    while exponent:
        if exponent % 2:
            power *= square
        square *= square
        exponent //= 2
    return power
