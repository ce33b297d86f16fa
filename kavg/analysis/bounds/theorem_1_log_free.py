"""Theorem 1 without the logarithm: 2 in place of the harmonic number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.analysis.bounds.theorem_1 import start_term


@final
@dataclass(frozen=True)
class Theorem1LogFree:
    """Theorem 1 without the logarithm (derived here; proof in docs/theory.md, section 3.1).

    Assumptions as in ``Theorem1``, but the step obeys
    ``L gamma K (2+mu)/(1-mu)^2 + L^2 gamma^2 K(K-1) <= 1``.  Then
    ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at most the sum of ::

        start  2(1-mu)Delta/(N K gamma)
        noise  (L gamma sigma2/(P B (1-mu))) (2 + mu/(1+mu))
        drift  (L^2 gamma^2 sigma2/B) (K-1)

    An upper bound; none of its constants is claimed exact.  Compared with ``Theorem1`` the noise
    term is smaller from K = 4 on and the drift term from K = 7 on, where ``c_K`` passes 2 and
    5/2; the largest step is shorter by up to a factor of 2.

    >>> setting = Setting(P=4, K=16, B=1, N=9, gamma=0.01, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> round(Theorem1LogFree().value(setting).noise, 6)
    0.005
    """

    name = "theorem_1_log_free"
    title = "Theorem 1 without the logarithm"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.1"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``M_v > 0`` and ``zeta2 > 0``."""
        return common_exclusion(setting)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return (C1) with both terms larger, by at most a factor of 2."""
        s = setting
        left = s.x * _momentum_factor(s.mu) + (s.L * s.gamma) ** 2 * s.K * (s.K - 1)
        formula = "L gamma K (2+mu)/(1-mu)^2 + L^2 gamma^2 K(K-1) <= 1"
        return (Condition("C1 without the logarithm", left, 1.0, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the three terms, with constants that do not depend on K."""
        s = setting
        nu = s.sigma2 / s.B
        return BoundValue(
            optimization=start_term(s),
            noise=s.L * s.eta * nu / s.P * (2 + s.mu / (1 + s.mu)),
            drift=(s.L * s.gamma) ** 2 * nu * (s.K - 1),
        )

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of the condition, in closed form."""
        K = setting.K
        return gamma_from(positive_root(K * _momentum_factor(setting.mu), K * (K - 1)), setting.L)


def _momentum_factor(mu: float) -> float:
    return (2 + mu) / (1 - mu) ** 2
