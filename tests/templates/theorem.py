"""Gradient descent on a smooth function: the template of a theorem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting


@final
@dataclass(frozen=True)
class OneStep:
    """The descent lemma over N rounds of one local step (docs/theory.md, section 3.1).

    Assume F is L-smooth and at least f_star; equal learners with unbiased gradients that are
    uncorrelated between learners, of conditional variance at most ``sigma2/B``; constant gamma
    with ``L gamma <= 1``; ``mu = 0`` and ``K = 1``.  Then ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2``
    is at most the sum of ::

        start  2 Delta/(N gamma)
        noise  L gamma sigma2/(P B)
        drift  0

    An upper bound.  State here which constants are exact, where the proof is, and how it differs
    from near twins.

    >>> setting = Setting(P=2, K=1, B=1, N=5, gamma=0.5, mu=0.0, L=1.0, Delta=1.25, sigma2=2.0)
    >>> OneStep().value(setting)
    BoundValue(optimization=1.0, noise=0.5, drift=0.0)
    """

    name = "theorem"  # that of the module
    title = "one local step"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.1"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging",)

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``mu > 0``, ``M_v > 0``, ``zeta2 > 0`` and more than one local step."""
        if setting.K > 1:
            return f"it covers K = 1, not K = {setting.K}"
        return common_exclusion(setting, momentum=False)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the condition on the step."""
        return (Condition("step", setting.L * setting.gamma, 1.0, "L gamma <= 1"),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the terms of the statement."""
        s = setting
        start = 2 * s.Delta / (s.N * s.gamma)
        return BoundValue(start, s.L * s.gamma * s.sigma2 / (s.P * s.B), 0.0)

    def largest_gamma(self, setting: Setting) -> float:
        """Return ``1/L``, the root of the condition."""
        return gamma_from(1.0, setting.L)
