"""K-step averaging without momentum: the known form with a smaller noise term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion
from kavg.analysis.bounds.k_avg import k_avg_conditions, k_avg_largest_gamma, k_avg_value
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting


@final
@dataclass(frozen=True)
class KAvgImproved:
    """A better K-AVG bound under the same conditions (derived here; docs/theory.md, section 3.5).

    Assumptions and conditions as in ``KAvg``, whose bound becomes the sum of ::

        start  2 Delta/(N (K-1+delta) gamma)
        noise  (L K gamma sigma2/(B (K-1+delta))) c_K/P
        drift  (L K gamma sigma2/(B (K-1+delta))) L gamma (K-1)(c_K - 1/2)/2

    An upper bound, never above that of ``KAvg``: martingale noise adds up like a logarithm, where
    the known form lets it grow like K.  ``Theorem1`` at ``mu = 0`` divides by K instead of
    ``K-1+delta`` and needs a slightly shorter step.

    >>> setting = Setting(P=2, K=2, B=1, N=5, gamma=0.5, mu=0.0, L=1.0, Delta=1.75, sigma2=1.75)
    >>> KAvgImproved().value(setting)  # c_K is 1.5
    BoundValue(optimization=0.8, noise=0.75, drift=0.25)
    """

    name = "k_avg_improved"
    title = "K-AVG, improved noise term"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.5"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging",)

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``mu > 0``, ``M_v > 0`` and ``zeta2 > 0``."""
        return common_exclusion(setting, momentum=False)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the conditions of the known form."""
        return k_avg_conditions(setting)

    def value(self, setting: Setting) -> BoundValue:
        """Return the three terms of the statement at the largest delta."""
        return k_avg_value(setting, noise=setting.c_K, drift=setting.drift_factor / 2)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the largest step of the known form."""
        return k_avg_largest_gamma(setting)
