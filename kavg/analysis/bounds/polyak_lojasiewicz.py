"""The last iterate under the Polyak-Lojasiewicz inequality, without momentum."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.analysis.bounds.theorem_1 import condition_C1


@final
@dataclass(frozen=True)
class PolyakLojasiewicz:
    """Final gap of K-AVG under the PL inequality (derived here; docs/theory.md, 3.4 (d)).

    Assumptions as in ``Theorem1`` with ``mu = 0`` and its (C1), and
    ``||grad F(w)||^2 >= 2m(F(w) - f_star)`` for all w with ``m = pl > 0``.  Then
    ``E F(w_{N+1}) - f_star`` is at most the sum of ::

        start  (1 - gamma K m)^N Delta
        noise  (sigma2/(2 m B)) L gamma c_K/P
        drift  (sigma2/(2 m B)) L^2 gamma^2 (K-1)(c_K - 1/2)/2

    An upper bound; noise and drift do not fall with N.  ``PolyakLojasiewiczMomentum`` allows
    ``mu > 0`` and loses factors of 2.

    >>> setting = Setting(4, 1, 1, 2, gamma=0.5, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0, pl=1.0)
    >>> PolyakLojasiewicz().value(setting)
    BoundValue(optimization=0.25, noise=0.0625, drift=0.0)
    """

    name = "polyak_lojasiewicz"
    title = "Polyak-Lojasiewicz, no momentum"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.4 (d)"
    quantity: ClassVar[Quantity] = "final_gap"
    outer_rules = ("averaging",)

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``mu > 0``, ``M_v > 0``, ``zeta2 > 0`` and an unknown m."""
        return common_exclusion(setting, momentum=False) or pl_exclusion(setting)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return (C1) of ``Theorem1`` at ``mu = 0``."""
        return (condition_C1(setting),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the part of the start that is left, and the floors of noise and drift."""
        s = setting
        step = s.L * s.gamma
        floor = s.sigma2 / (2 * s.pl * s.B)
        # (C1) implies that the rate is not negative; outside it, a power must not change sign.
        rate = max(1 - s.gamma * s.K * s.pl, 0.0)
        noise = floor * step * s.c_K / s.P
        return BoundValue(rate**s.N * s.Delta, noise, floor * step**2 * s.drift_factor / 2)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of (C1) at ``mu = 0``, in closed form."""
        K = setting.K
        return gamma_from(positive_root(K, K * (K - 1) / 2), setting.L)


def pl_exclusion(setting: Setting) -> str | None:
    """Return why a theorem about the inequality does not cover a setting, or None."""
    if isnan(setting.pl):
        return "pl is unknown: F must obey the Polyak-Lojasiewicz inequality with a known constant"
    return None
