"""Theorem 1S: sharp leading constants for small steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting

_LARGEST_EPS: Final = 0.5
_SMALLEST_EPS: Final = 1e-15
"""Smaller values would only change the last digits of the bound."""


@final
@dataclass(frozen=True)
class Theorem1S:
    """Theorem 1S (derived here; proof in docs/theory.md, section 3.3).

    Assumptions as in ``Theorem1``, but for some ``0 < eps <= 1/2`` the step obeys
    ``L gamma K (1+mu)/(1-mu)^2 <= eps/2``.  Then ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at
    most ``(1+eps)/(1-eps/8)`` times the sum of ::

        start  (1-mu)Delta/(N K gamma)
        noise  (L gamma sigma2/(2 P B (1-mu)))
                 [1 + eps + 2 L gamma K mu^2/(eps (1-mu)^2 (1+mu))]
        drift  (1/2)(3/2 + 1/eps) (L^2 gamma^2 sigma2/(2B)) (K-1)(c_K - 1/2)

    An upper bound.  Its leading constants of start and noise, half those of ``Theorem1``, are best
    possible as gamma and then eps tend to 0; 3/2 in the drift is not (the proof gives 1/4).
    ``value`` takes the eps of the least total among those that the condition allows; the condition
    is shown for the most lenient, eps = 1/2.

    >>> setting = Setting(P=4, K=2, B=1, N=100, gamma=1e-4, mu=0.0, L=1.0, Delta=1.0, sigma2=0.0)
    >>> round(Theorem1S().value(setting).optimization / 50, 4)  # (1-mu)Delta/(N K gamma) = 50
    1.0005
    """

    name = "theorem_1s"
    title = "Theorem 1S, sharp constants"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.3"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``M_v > 0`` and ``zeta2 > 0``."""
        return common_exclusion(setting)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the condition that an admissible eps exists: ``least_eps`` is at most 1/2."""
        formula = "L gamma K (1+mu)/(1-mu)^2 <= eps/2 with eps = 1/2"
        return (Condition("C1S", least_eps(setting) / 2, _LARGEST_EPS / 2, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the bound at the best eps (at eps = 1/2 where the condition is not met)."""
        return value_at(setting, best_eps(setting))

    def largest_gamma(self, setting: Setting) -> float:
        """Return the largest step for eps = 1/2, in closed form."""
        mu = setting.mu
        return gamma_from((1 - mu) ** 2 / (setting.K * (1 + mu)) * _LARGEST_EPS / 2, setting.L)


def least_eps(s: Setting) -> float:
    """Return the smallest eps that the step allows, ``2 L gamma K (1+mu)/(1-mu)^2``."""
    return 2 * s.x * (1 + s.mu) / (1 - s.mu) ** 2


def value_at(s: Setting, eps: float) -> BoundValue:
    """Return the bound at one eps, which need not be admissible.

    >>> setting = Setting(P=4, K=1, B=1, N=100, gamma=0.05, mu=0.0, L=1.0, Delta=0.0, sigma2=1.0)
    >>> round(value_at(setting, 0.5).noise, 5)  # 1.5/(1 - 1/16) times 0.00625 times 1.5
    0.015
    """
    outside = (1 + eps) / (1 - eps / 8)
    nu = s.sigma2 / s.B
    # The terms in 1/eps come from momentum and from drift; without these eps may be tiny.
    memory = 2 * s.x * s.mu**2 / (eps * (1 - s.mu) ** 2 * (1 + s.mu)) if s.mu > 0 else 0.0
    young = (1.5 + 1 / eps) / 2 if s.K > 1 else 0.0
    return BoundValue(
        optimization=outside * s.Delta / (s.N * s.K * s.eta),
        noise=outside * s.L * s.eta * nu / (2 * s.P) * (1 + eps + memory),
        drift=outside * young * (s.L * s.gamma) ** 2 * nu / 2 * s.drift_factor,
    )


def best_eps(s: Setting) -> float:
    """Return the eps in ``[least_eps, 1/2]`` with the least bound, to rounding.

    As a function of eps the bound is a sum of nonnegative multiples of ``eps^i/(1 - eps/8)`` with
    ``i = -1, 0, 1, 2``, each convex, so one root of the derivative decides.

    >>> setting = Setting(P=4, K=1, B=1, N=100, gamma=0.05, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> best_eps(setting)  # without momentum and drift the smallest is the best
    0.1
    """
    low, high = max(least_eps(s), _SMALLEST_EPS), _LARGEST_EPS
    # By convexity the sign of the derivative at the ends says whether the minimum lies inside.
    if low >= high or _derivative_sign(s, low) >= 0:
        return min(low, high)
    if _derivative_sign(s, high) <= 0:
        return high
    # SciPy is imported where it is used: it loads slowly, and most commands do not need it.
    from scipy.optimize import brentq

    return float(brentq(lambda eps: _derivative_sign(s, eps), low, high))


def _derivative_sign(s: Setting, eps: float) -> float:
    # The sign of the derivative of (a2 eps^2 + a1 eps + a0 + a/eps)/(1 - eps/8).
    nu = s.sigma2 / s.B
    start = s.Delta / (s.N * s.K * s.eta)
    noise = s.L * s.eta * nu / (2 * s.P)
    memory = noise * 2 * s.x * s.mu**2 / ((1 - s.mu) ** 2 * (1 + s.mu))
    drift = (s.L * s.gamma) ** 2 * nu / 4 * s.drift_factor
    constant, inverse = start + noise + 1.5 * drift, memory + drift
    upper = noise * eps**2 + (constant + noise) * eps + constant + inverse + inverse / eps
    rise = 2 * noise * eps + constant + noise - inverse / eps**2
    return rise * (1 - eps / 8) + upper / 8
