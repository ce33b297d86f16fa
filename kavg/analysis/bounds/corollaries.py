"""Step and momentum that minimise Theorem 1, and their trends in P, K, B and N.

Consequences of an upper bound (docs/theory.md, section 3.2): they minimise the bound, not the
error.  ``kavg.analysis.exact`` has what is exact on quadratics.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan, nan, nextafter, sqrt
from typing import Final, final

from kavg.analysis.bounds.setting import SLACK, Setting
from kavg.analysis.bounds.theorem_1 import Theorem1, drift_weight

_FACTORS: Final = (1, 2, 4, 8, 16)
_BELOW_1: Final = nextafter(1.0, 0.0)
"""The largest float below 1, to which a mu that rounds to 1 is cut."""


def tuned_gamma(setting: Setting) -> float:
    """Return the gamma that minimises start and noise of Theorem 1 within (C1) (corollary C1).

    ``gamma = (1-mu) sqrt(2 Delta P B/(L N K sigma2 c))`` with ``c = c_K + mu/(1+mu)``, in closed
    form; drift is left out, so a smaller step may have a smaller bound.  ``setting.gamma`` is not
    used; NaN where Theorem 1 does not cover the setting.

    >>> setting = Setting(P=4, K=1, B=1, N=800, gamma=1.0, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> round(tuned_gamma(setting), 12)
    0.1
    """
    s = setting
    if Theorem1().exclusion(s):
        return nan
    largest = Theorem1().largest_gamma(s)
    # (1-mu) sqrt(2 Delta P B/noise) balances the two terms; without noise the largest step is best.
    noise = s.L * s.N * s.K * s.sigma2 * (s.c_K + s.mu / (1 + s.mu))
    if noise == 0:
        return largest
    return min((1 - s.mu) * sqrt(2 * s.Delta * s.P * s.B / noise), largest)


def tuned_bound(setting: Setting) -> float:
    """Return the value of Theorem 1 at ``tuned_gamma``; NaN where there is no such step.

    Where (C1) does not clip the step it is
    ``2 sqrt(2 L Delta sigma2 c/(P B N K)) + L Delta P (1-mu)^2 (K-1)(c_K - 1/2)/(N K c)``.

    >>> setting = Setting(P=4, K=1, B=1, N=800, gamma=1.0, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> round(tuned_bound(setting), 12)
    0.05
    """
    gamma = tuned_gamma(setting)
    if not 0 < gamma < inf:
        return nan
    return Theorem1().value(setting.replace(gamma=gamma)).total


def tuned_mu(setting: Setting) -> float:
    """Return the mu that minimises Theorem 1 at the given gamma within (C1) (corollary C3).

    The bound as a function of ``u = 1-mu`` is ``a u + b (c_K + (1-u)/(2-u))/u`` plus what does not
    depend on it, with ``a = 2 Delta/(N K gamma)`` and ``b = L gamma sigma2/(P B)``; it is convex on
    (0, 1] and minimised to rounding.  The closed form of C3,
    ``1 - mu = min(1, gamma sqrt(L N K sigma2 c/(2 Delta P B)))``, holds c fixed; here c is between
    ``c_K + 1/2`` and ``c_K + 1``.  So mu rises with P and B and falls with N, K and gamma.
    ``setting.mu`` is not used; NaN where (C1) allows no momentum, not even 0, or Theorem 1 does not
    cover the setting.  It minimises the bound, not the error: for that see
    ``kavg.analysis.exact.best_momentum``.

    >>> setting = Setting(P=4, K=1, B=1, N=3000, gamma=0.01, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> round(tuned_mu(setting), 2)
    0.76
    """
    s = setting
    start = 2 * s.Delta / (s.N * s.K * s.gamma)
    noise = s.L * s.gamma * s.sigma2 / (s.P * s.B)

    def derivative(u: float) -> float:
        # (1-u)/(u(2-u)) is half of 1/u - 1/(2-u); times u^2, so that u = 0 is no pole.
        return start * u * u - noise * (s.c_K + 0.5 + (u / (2 - u)) ** 2 / 2)

    largest = largest_mu(s)
    if isnan(largest) or not isfinite(start + noise) or Theorem1().exclusion(s):
        return nan
    if derivative(1.0) <= 0:
        return 0.0
    if noise == 0 or derivative(1 - largest) >= 0:
        return largest
    from scipy.optimize import brentq

    return min(1 - float(brentq(derivative, 1 - largest, 1.0, xtol=1e-15)), _BELOW_1)


def largest_mu(setting: Setting) -> float:
    """Return the largest mu that (C1) allows at the given gamma; NaN if not even 0.

    With ``k = (1 - L^2 gamma^2 K(K-1)/2)/(L gamma K)`` it solves ``(1+2mu)/(1-mu)^2 = k``, so in
    closed form ``1 - mu = 3/(1 + sqrt(1 + 3k))``.

    >>> setting = Setting(P=1, K=1, B=1, N=1, gamma=0.125, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> largest_mu(setting)
    0.5
    """
    x = setting.x
    if not x > 0:
        return _BELOW_1 if x == 0 else nan
    k = (1 - drift_weight(setting)) / x
    mu = 1 - 3 / (1 + sqrt(1 + 3 * max(k, 1.0)))
    # k rounded below 1 at the very end of (C1) still allows mu = 0.
    return min(mu, _BELOW_1) if k >= 1 - SLACK else nan


@final
@dataclass(frozen=True)
class Tuning:
    """The step and momentum that minimise Theorem 1 with one parameter of a setting changed.

    ``mu`` is the best at the given gamma and ``bound`` Theorem 1 there; ``gamma`` is the tuned step
    at the given mu and ``tuned`` Theorem 1 there.  Made by ``tune_for``.
    """

    parameter: str
    value: int
    mu: float
    bound: float
    gamma: float
    tuned: float


def tune_for(setting: Setting, parameter: str, value: int) -> Tuning:
    """Return the step and momentum that minimise Theorem 1 with ``parameter`` set to ``value``.

    >>> setting = Setting(P=1, K=1, B=1, N=3000, gamma=0.01, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> round(tune_for(setting, "P", 4).mu, 2)
    0.76
    """
    s = setting.replace(**{parameter: value})
    mu = tuned_mu(s)
    bound = Theorem1().value(s.replace(mu=mu)).total if mu >= 0 else nan
    return Tuning(parameter, value, mu, bound, tuned_gamma(s), tuned_bound(s))


def tuning_trends(setting: Setting, factors: tuple[int, ...] = _FACTORS) -> tuple[Tuning, ...]:
    """Return the tuned values with P, K, B and N each multiplied by ``factors`` in turn.

    >>> setting = Setting(P=1, K=1, B=1, N=3000, gamma=0.01, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> [round(one.mu, 2) for one in tuning_trends(setting, factors=(1, 2, 4))[:3]]  # P = 1, 2, 4
    [0.52, 0.66, 0.76]
    """
    return tuple(
        tune_for(setting, parameter, getattr(setting, parameter) * factor)
        for parameter in ("P", "K", "B", "N")
        for factor in factors
    )
