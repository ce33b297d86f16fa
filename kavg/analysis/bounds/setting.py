"""Input and output of a theorem: the constants of a run, step conditions, the bound's value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum, isclose, isnan, log, nan
from typing import Annotated, Final, final

from kavg.errors import KavgError
from kavg.ranges import Count, Momentum, Positive, check_positive, check_ranges

TheoremCount = Annotated[Count, "theorems count learners, steps and rounds"]
SLACK: Final = 1e-12
"""Relative room for rounding where a condition holds with equality."""
_LARGE_K: Final = 10_000
"""Beyond this K the harmonic number comes from its expansion, not from a sum."""
_EULER: Final = 0.57721566490153286
"""The limit of ``1 + 1/2 + ... + 1/K - log K``."""


@final
@dataclass(frozen=True)
class Setting:
    """The constants of a run that theorems use, in the letters of docs/theory.md, section 2.

    ``P`` learners, ``K`` steps of the constant ``gamma`` on batches of ``B``, ``N`` rounds and the
    block momentum ``mu``; ``L`` of smoothness; ``Delta = F(w_1) - f_star`` (or its mean over
    replicas); ``sigma2`` the variance of ONE example's whole gradient vector, the theory's M where
    ``M_v > 0``; ``zeta2`` the learners' heterogeneity; ``pl`` the Polyak-Lojasiewicz constant m;
    ``is_affine`` is true if the gradient of F is affine, as that of a quadratic is.

    Of the constants from ``L`` on, NaN means unknown and infinity means that none exists;
    ``Bound.exclusion`` names the theorems that such a constant rules out.

    Raises:
        KavgError: if a count is below 1, a constant is negative, ``mu`` lies outside [0, 1) or
            ``pl`` is above ``L``.

    >>> Setting(P=4, K=3, B=1, N=10, gamma=0.1, mu=0.5, L=1.0, Delta=1.0, sigma2=1.0).eta
    0.2
    """

    P: TheoremCount
    K: TheoremCount
    B: TheoremCount
    N: TheoremCount
    gamma: Positive
    mu: Momentum
    L: float
    Delta: float
    sigma2: float
    M_v: float = 0.0
    zeta2: float = 0.0
    pl: float = nan
    is_affine: bool = False

    def __post_init__(self) -> None:
        check_ranges(self)
        for name in ("L", "Delta", "sigma2", "M_v", "zeta2"):
            # ``< 0`` and not ``not >= 0``, since NaN, an unknown constant, is allowed.
            if getattr(self, name) < 0:
                why = "f_star is no lower bound of F" if name == "Delta" else "NaN means unknown"
                raise KavgError(f"{name} must be at least 0, got {getattr(self, name)!r}; {why}")
        if not isnan(self.pl):
            check_positive("pl", self.pl)
        if self.pl > self.L * (1 + SLACK):
            raise KavgError(
                f"pl must be at most L, as smoothness implies, got pl={self.pl!r} and "
                f"L={self.L!r}; one of the two is wrong"
            )

    @property
    def eta(self) -> float:
        """The effective step ``gamma/(1 - mu)``."""
        return self.gamma / (1 - self.mu)

    @property
    def x(self) -> float:
        """``L gamma K``, the dimensionless path of a learner in a round."""
        return self.L * self.gamma * self.K

    @property
    def lam(self) -> float:
        """``L eta K = x/(1 - mu)``, the dimensionless path of the averaged model in a round."""
        return self.L * self.eta * self.K

    @property
    def c_K(self) -> float:
        """The harmonic number ``1 + 1/2 + ... + 1/K``, to rounding.

        >>> round(Setting(1, 4, 1, 1, gamma=1.0, mu=0.0, L=1.0, Delta=0.0, sigma2=0.0).c_K, 4)
        2.0833
        """
        K = self.K
        if K <= _LARGE_K:
            # fsum adds without rounding errors, whatever the order.
            return fsum(1 / t for t in range(1, K + 1))
        # Euler and Maclaurin; the next term is below 1e-18.
        return log(K) + _EULER + 1 / (2 * K) - 1 / (12 * K * K)

    @property
    def drift_factor(self) -> float:
        """``(K-1)(c_K - 1/2)``, exact; 0 for K = 1.  It is ``2 Q_K/K`` of docs/theory.md."""
        return (self.K - 1) * (self.c_K - 0.5)

    def replace(self, **changes: float) -> Setting:
        """Return a copy with other constants, validated again.

        >>> s = Setting(P=4, K=3, B=1, N=10, gamma=0.1, mu=0.5, L=1.0, Delta=1.0, sigma2=1.0)
        >>> s.replace(mu=0.0).eta
        0.1
        """
        return replace(self, **changes)  # type: ignore[arg-type]


@final
@dataclass(frozen=True)
class Condition:
    """One condition ``left <= right`` of a theorem, with the numbers on both sides.

    ``formula`` is the condition in letters.  ``met`` allows a relative 1e-12 for rounding, so the
    largest admissible step meets it.

    >>> print(Condition("C1", 0.5, 1.0, "L gamma K <= 1"))
    C1: 0.5 <= 1, as L gamma K <= 1 asks
    >>> print(Condition("C1", 1.5, 1.0))
    C1: 1.5 > 1
    """

    name: str
    left: float
    right: float
    formula: str | None = None

    @property
    def met(self) -> bool:
        """True if ``left <= right`` up to rounding; False if a side is NaN."""
        return self.left <= self.right or isclose(self.left, self.right, rel_tol=SLACK)

    def __str__(self) -> str:
        numbers = f"{self.name}: {self.left:.6g} {'<=' if self.met else '>'} {self.right:.6g}"
        verb = "as" if self.met else "but"
        return f"{numbers}, {verb} {self.formula} asks" if self.formula else numbers


@final
@dataclass(frozen=True)
class BoundValue:
    """The value of a bound in its three parts.

    ``optimization`` is what remains of the start after N rounds, ``noise`` the effect of gradient
    noise on the mean of the learners, and ``drift`` that of the learners' distance from each other.

    >>> BoundValue(optimization=1.0, noise=0.5, drift=0.25).total
    1.75
    """

    optimization: float
    noise: float
    drift: float

    @property
    def total(self) -> float:
        """The bound itself, the sum of its parts."""
        return self.optimization + self.noise + self.drift
