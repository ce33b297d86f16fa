"""Theorem 1 for gradients whose variance grows with their squared norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.analysis.bounds.theorem_1 import momentum_factor, three_terms


@final
@dataclass(frozen=True)
class AffineVariance:
    """Theorem 1 with affine variance (derived here; docs/theory.md, section 3.4 (b)).

    Assumptions as in ``Theorem1``, but the conditional variance at a learner's iterate is at most
    ``(M + M_v ||grad F||^2)/B`` there, and the step obeys (C1b) ::

        (1 + M_v/B) L^2 gamma^2 K(K-1)/2
          + (L gamma K/(1-mu)) [(1+2mu)/(1-mu) + (M_v/(PB)) (1 + mu/(K(1+mu)))] <= 1.

    Then ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at most the bound of ``Theorem1`` with
    ``sigma2 = M``, in start, noise and drift: ``M_v`` only shortens the largest step.  An
    upper bound; it is ``Theorem1`` itself where ``M_v = 0``.

    >>> setting = Setting(2, 1, 1, 9, gamma=0.25, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0, M_v=6.0)
    >>> print(AffineVariance().conditions(setting)[0].left)  # 0.25 (1 + 6/2)
    1.0
    """

    name = "affine_variance"
    title = "Theorem 1, variance growing with the gradient"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.4 (b)"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``zeta2 > 0``: learners must be equal."""
        return common_exclusion(setting, affine=True)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return (C1b), a quadratic in ``L gamma``."""
        s = setting
        step = s.L * s.gamma
        left = _square_factor(s) * step**2 + _linear_factor(s) * step
        formula = (
            "(1+M_v/B) L^2 gamma^2 K(K-1)/2 + "
            "(L gamma K/(1-mu)) [(1+2mu)/(1-mu) + (M_v/(PB)) (1+mu/(K(1+mu)))] <= 1"
        )
        return (Condition("C1b", left, 1.0, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the three terms of ``Theorem1``, with M in place of sigma2."""
        return three_terms(setting)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of (C1b), in closed form."""
        return gamma_from(
            positive_root(_linear_factor(setting), _square_factor(setting)), setting.L
        )


def _square_factor(s: Setting) -> float:
    return (1 + s.M_v / s.B) * s.K * (s.K - 1) / 2


def _linear_factor(s: Setting) -> float:
    memory = 1 + s.mu / (s.K * (1 + s.mu))
    return s.K * (momentum_factor(s.mu) + s.M_v / (s.P * s.B) * memory / (1 - s.mu))
