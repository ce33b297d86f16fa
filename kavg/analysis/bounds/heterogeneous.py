"""Theorem 1 for learners with different objectives."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.analysis.bounds.theorem_1 import momentum_factor, three_terms


@final
@dataclass(frozen=True)
class Heterogeneous:
    """Theorem 1 for heterogeneous learners (derived here; docs/theory.md, section 3.4 (c)).

    Assumptions as in ``Theorem1``, but learner j has its own L-smooth ``f_j``, F is their mean and
    ``(1/P) sum_j ||grad f_j(w) - grad F(w)||^2 <= zeta2`` for all w.  With
    ``y = L^2 gamma^2 K(K-1) < 1`` and ``tau = 1/(1-y)``, the step obeys
    ``tau y/2 + L gamma K (1+2mu)/(1-mu)^2 <= 1``.  Then
    ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at most the sum of ::

        start  2(1-mu)Delta/(N K gamma)
        noise  (L gamma sigma2/(P B (1-mu))) (c_K + mu/(1+mu))
        drift  tau L^2 gamma^2 [(sigma2/(2B)) (K-1)(c_K - 1/2) + zeta2 (K-1)(2K-1)/3]

    An upper bound; it is ``Theorem1`` where K = 1, and close to it where ``zeta2 = 0`` and y is
    small.  ``L`` must be valid for every ``f_j``, not for F alone.

    >>> setting = Setting(2, 2, 1, 9, gamma=0.5, mu=0.0, L=1.0, Delta=1.0, sigma2=0.0, zeta2=1.0)
    >>> Heterogeneous().value(setting).drift  # tau is 2, times 1/4, times (2-1)(4-1)/3
    0.5
    """

    name = "heterogeneous"
    title = "Theorem 1, learners that differ"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.4 (c)"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``M_v > 0``; learners may differ."""
        return common_exclusion(setting, heterogeneous=True)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return one condition, whose left side is infinite from y = 1 on."""
        s = setting
        y = _y(s.L * s.gamma, s.K)
        left = y * _tau(y) / 2 + s.x * momentum_factor(s.mu) if y < 1 else inf
        formula = "(y/2)/(1-y) + L gamma K (1+2mu)/(1-mu)^2 <= 1 with y = L^2 gamma^2 K(K-1) < 1"
        return (Condition("C1c", left, 1.0, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the terms of ``Theorem1``, with the term of ``zeta2`` added to the drift."""
        s = setting
        tau = _tau(_y(s.L * s.gamma, s.K))
        differences = s.zeta2 * (s.K - 1) * (2 * s.K - 1) / 3
        noise_drift = s.sigma2 / (2 * s.B) * s.drift_factor
        parts = three_terms(s)
        drift = tau * (s.L * s.gamma) ** 2 * (noise_drift + differences) if s.K > 1 else 0.0
        return BoundValue(parts.optimization, parts.noise, drift)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of the condition, numerically: times ``1 - y`` it is a cubic."""
        K, linear = setting.K, setting.K * momentum_factor(setting.mu)
        if K == 1:
            return gamma_from(1 / linear, setting.L)
        from scipy.optimize import brentq

        def excess(step: float) -> float:
            y = _y(step, K)
            return y / 2 + (linear * step - 1) * (1 - y)

        # Theorem 1's condition is weaker, and y = 1 ends the range; below both there is one root.
        high = min(positive_root(linear, K * (K - 1) / 2), 1 / sqrt(K * (K - 1)))
        # Near mu = 1 the step is so short that y rounds to 0, and no sign changes.
        if excess(high) <= 0:
            return gamma_from(high, setting.L)
        scaled = brentq(lambda share: excess(share * high), 0.0, 1.0, xtol=1e-15)
        return gamma_from(float(scaled) * high, setting.L)


def _y(step: float, K: int) -> float:
    return step**2 * K * (K - 1)


def _tau(y: float) -> float:
    return 1 / (1 - y) if y < 1 else inf
