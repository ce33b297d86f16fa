"""Spectra of quadratics by a rule: equally spaced in the logarithm."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from math import isqrt
from typing import Annotated, Final, final

import numpy as np

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges

FEW: Final = 64
"""Eigenvalues that are computed one by one."""


@final
@dataclass(frozen=True)
class LogSpectrum:
    """``dim`` eigenvalues from ``low`` to ``high``, equally spaced in the logarithm.

    A spectrum of ``Quadratic`` with condition number ``high / low``.

    >>> LogSpectrum(0.01, 1.0, dim=3).eigenvalues
    array([0.01, 0.1 , 1.  ])
    """

    low: Positive
    high: Positive
    dim: Annotated[Count, "it is the number of eigenvalues"]

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.low > self.high or (self.dim == 1 and self.low != self.high):
            raise KavgError(
                f"got low={self.low!r}, high={self.high!r}, dim={self.dim!r}; low must not exceed"
                " high, and one eigenvalue needs low equal to high"
            )

    @property
    def eigenvalues(self) -> Floats:
        """``low (high/low)^(i/(dim-1))``, i = 0..dim-1, shape ``(dim,)``; both ends are exact."""
        if self.dim == 1:
            return np.array([self.low])
        # i = s a + b with s^2 about dim, so that 2 s numbers are computed in place of dim.
        s = 1 if self.dim <= FEW else isqrt(self.dim)
        fine = self._round_powers(Decimal(1), range(s))
        coarse = self._round_powers(Decimal(self.low), range(0, self.dim, s))
        with np.errstate(over="ignore"):  # beyond the last eigenvalue
            products: Floats = np.multiply.outer(coarse, fine)
        values = np.clip(products.reshape(-1)[: self.dim], self.low, self.high)
        values[-1] = self.high
        return values

    def _round_powers(self, factor: Decimal, numerators: range) -> Floats:
        """Return ``factor (high/low)^(i/(dim-1))`` for these i, correctly rounded."""
        # Of its own, as each operation sets flags; exp and ln are the same on any machine.
        context = Context(prec=30, Emax=MAX_EMAX, Emin=MIN_EMIN)
        ratio = context.divide(Decimal(self.high), Decimal(self.low))
        step = context.divide(context.ln(ratio), self.dim - 1)
        powers = (context.exp(context.multiply(step, i)) for i in numerators)
        return np.array([float(context.multiply(factor, power)) for power in powers])
