"""Theorem 1: K-step averaging with block momentum on smooth functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting


@final
@dataclass(frozen=True)
class Theorem1:
    """Theorem 1 (derived here; proof in docs/theory.md, section 3.1).

    Assume F is L-smooth and at least f_star; equal learners with unbiased gradients that are
    uncorrelated between learners, of conditional variance at most ``sigma2/B``; constant gamma and
    ``0 <= mu < 1``; and (C1) ``L gamma K (1+2mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2 <= 1``.  Then
    ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at most the sum of ::

        start  2(1-mu)Delta/(N K gamma)
        noise  (L gamma sigma2/(P B (1-mu))) (c_K + mu/(1+mu))
        drift  (L^2 gamma^2 sigma2/(2B)) (K-1)(c_K - 1/2)

    with the harmonic number ``c_K = 1 + 1/2 + ... + 1/K``.  An upper bound.  At K = 1, mu = 0,
    gamma = 1/L on ``(L/2)||w||^2`` its start is attained for every N, its noise as N grows.  (C1)
    is sufficient, and for a bound of this form necessary up to a factor of 3 as mu tends to 1.
    ``Theorem1LogFree`` has 2 for ``c_K`` and needs a shorter step; ``Theorem1S`` has half the
    leading constants and needs a still shorter one.

    >>> setting = Setting(P=4, K=2, B=1, N=100, gamma=0.1, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> Theorem1().value(setting)
    BoundValue(optimization=0.1, noise=0.037500000000000006, drift=0.005000000000000001)
    >>> print(*Theorem1().conditions(setting))
    C1: 0.21 <= 1, as L gamma K (1+2mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2 <= 1 asks
    """

    # Without annotations, or ClassVar, so that these are constants of the class and not fields.
    name = "theorem_1"
    title = "Theorem 1, block momentum"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.1"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``M_v > 0`` and ``zeta2 > 0``."""
        return common_exclusion(setting)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return (C1), with ``L gamma K (1+2mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2`` on its left."""
        return (condition_C1(setting),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the three terms of the statement."""
        return three_terms(setting)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of (C1), ``2/(K kappa + sqrt(K^2 kappa^2 + 2K(K-1)))/L``."""
        K = setting.K
        return gamma_from(
            positive_root(K * momentum_factor(setting.mu), K * (K - 1) / 2), setting.L
        )


def momentum_factor(mu: float) -> float:
    """Return kappa ``= (1+2mu)/(1-mu)^2``, by which momentum tightens (C1).

    >>> momentum_factor(0.5)
    8.0
    """
    return (1 + 2 * mu) / (1 - mu) ** 2


def condition_C1(s: Setting) -> Condition:
    """Return (C1), which ``PolyakLojasiewicz`` shares at ``mu = 0``."""
    left = s.x * momentum_factor(s.mu) + drift_weight(s)
    formula = "L gamma K (1+2mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2 <= 1"
    return Condition("C1", left, 1.0, formula)


def drift_weight(s: Setting) -> float:
    """Return ``L^2 gamma^2 K(K-1)/2``, the factor of the gradients in Lemma 2, on drift."""
    return (s.L * s.gamma) ** 2 * s.K * (s.K - 1) / 2


def three_terms(s: Setting) -> BoundValue:
    """Return the right side of Theorem 1, which the variants 3.4 (b) and (c) share."""
    # nu, the variance of a mini-batch; sigma2 is that of one example.
    nu = s.sigma2 / s.B
    return BoundValue(
        optimization=start_term(s),
        noise=s.L * s.eta * nu / s.P * (s.c_K + s.mu / (1 + s.mu)),
        drift=(s.L * s.gamma) ** 2 * nu / 2 * s.drift_factor,
    )


def start_term(s: Setting) -> float:
    """Return ``2(1-mu)Delta/(N K gamma)``, the part of the start that is left after N rounds."""
    return 2 * s.Delta / (s.N * s.K * s.eta)
