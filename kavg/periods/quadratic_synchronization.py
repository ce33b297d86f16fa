"""QSR: a period that grows as the step size falls."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Annotated, Final, final

from annotated_types import Interval

from kavg.errors import KavgError
from kavg.ranges import Count, Positive, check_ranges

ROUNDING: Final = 1e-12
"""Relative distance below a whole number that counts as rounding."""
COUNTABLE: Final = 2.0**63
"""Local steps that an int64 cannot count."""


@final
@dataclass(frozen=True)
class QuadraticSynchronization:
    """``K(n) = max(least, floor((alpha/gamma(n))^power))``: QSR, with ``power = 2``.

    The noise of K local steps moves the learners apart by ``gamma^2 K`` times its variance, so that
    with the square their dispersion stays as it is while the step size falls.  ``power = 3`` is the
    cubic variant.  ``most`` is an upper limit, and none if left out.  With a constant step size K
    is constant.  ``DispersionControl`` measures the dispersion instead.

    K is large where gamma is small: where gamma rises in a warm-up, put ``WarmUpPeriod`` in front.

    Quotient, power and floor are those of IEEE 754, so K is the same on any machine.  Up to 1e-12
    below a whole number counts as that number: ``(0.3/0.1)^2``, in floating point a little less
    than 9, is 9.

    Raises ``KavgError`` if ``most`` is below ``least``.

    Source: the quadratic synchronization rule, Gu, Lyu, Arora and Zhang 2023, arXiv 2310.14423;
    ``least`` is their H_base.

    >>> period = QuadraticSynchronization(alpha=0.3, least=4)
    >>> [period(n, gamma) for n, gamma in enumerate((0.3, 0.15, 0.1, 0.05), start=1)]
    [4, 4, 9, 36]
    """

    kind = "qsr"
    same_bits = "any machine"
    alpha: Positive
    least: Annotated[Count, "use least=1 for the rule alone"] = 1
    power: Annotated[int, Interval(ge=2, le=3), "2 is QSR, 3 its cubic variant"] = 2
    most: Annotated[Count, "leave it out for no limit"] | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.most is not None and self.most < self.least:
            raise KavgError(
                f"most must be at least least, got most={self.most} and least={self.least}; "
                "raise most, or leave it out"
            )

    def __call__(self, n: int, gamma: float) -> int:
        """Return the period of round ``n``, of step size ``gamma``.

        Raises ``KavgError`` if it is 2^63 or more and there is no upper limit.
        """
        grown = self.grow(gamma)
        if self.most is not None:
            # Before it becomes an integer, as it may be infinite.
            return max(self.least, floor(min(grown, self.most)))
        if grown >= COUNTABLE:
            raise KavgError(
                f"K must be below 2^63, got (alpha/gamma)^{self.power} = {grown:.3g} with "
                f"alpha={self.alpha:g} and gamma={gamma:g} in round {n}; give an upper limit, most"
            )
        return max(self.least, floor(grown))

    def grow(self, gamma: float) -> float:
        """Return ``(alpha/gamma)^power``, whatever the limits are."""
        ratio = self.alpha / gamma
        # A product, as pow() of the C library need not be rounded correctly.
        grown = ratio * ratio * (ratio if self.power == 3 else 1.0)
        return grown * (1.0 + ROUNDING)
