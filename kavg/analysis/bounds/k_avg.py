"""K-step averaging without momentum: the form of the theorem in circulation."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting


@final
@dataclass(frozen=True)
class KAvg:
    """The known form for K-AVG (not seen in Zhou and Cong 2018; proof in docs/theory.md, 3.5).

    Assume F is L-smooth and at least f_star; equal learners with unbiased gradients that are
    uncorrelated between learners, of conditional variance at most ``sigma2/B``; constant gamma,
    ``mu = 0``; and for some ``0 < delta < 1`` both ``L^2 gamma^2 (K+1)(K-2)/2 + L gamma K <= 1``
    and ``L^2 gamma^2 <= 1 - delta``.  Then ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` is at most
    the sum of ::

        start  2 Delta/(N (K-1+delta) gamma)
        noise  (L K gamma sigma2/(B (K-1+delta))) K/P
        drift  (L K gamma sigma2/(B (K-1+delta))) L gamma (2K-1)(K-1)/6

    An upper bound, least at the largest delta, ``1 - L^2 gamma^2``, which ``value`` takes.  Its
    constants are not exact: noise grows like K, where ``KAvgImproved`` has ``c_K`` under the same
    conditions.

    >>> setting = Setting(P=2, K=2, B=1, N=5, gamma=0.5, mu=0.0, L=1.0, Delta=1.75, sigma2=1.75)
    >>> KAvg().value(setting)  # K - 1 + delta is 1.75
    BoundValue(optimization=0.8, noise=1.0, drift=0.25)
    """

    name = "k_avg"
    title = "K-AVG, known form"
    status: ClassVar[Status] = "known form, proof here"
    source = "the form in circulation of Zhou and Cong 2018; docs/theory.md, section 3.5"
    quantity: ClassVar[Quantity] = "mean_grad_norm2"
    outer_rules = ("averaging",)

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``mu > 0``, ``M_v > 0`` and ``zeta2 > 0``."""
        return common_exclusion(setting, momentum=False)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the condition on the step, and the condition that a positive delta exists."""
        return k_avg_conditions(setting)

    def value(self, setting: Setting) -> BoundValue:
        """Return the three terms of the statement at the largest delta."""
        K = setting.K
        return k_avg_value(setting, noise=K, drift=(2 * K - 1) * (K - 1) / 6)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of the first condition in closed form; for K = 1 that of the second."""
        return k_avg_largest_gamma(setting)


def k_avg_conditions(s: Setting) -> tuple[Condition, ...]:
    """Return both conditions; the second is strict, and at equality the bound is infinite."""
    step = s.L * s.gamma
    left = step**2 * (s.K + 1) * (s.K - 2) / 2 + s.x
    formula = "L^2 gamma^2 (K+1)(K-2)/2 + L gamma K <= 1"
    delta = Condition("delta", step**2, 1.0, "delta = 1 - L^2 gamma^2 > 0")
    return (Condition("step", left, 1.0, formula), delta)


def k_avg_value(s: Setting, *, noise: float, drift: float) -> BoundValue:
    """Return the right side with ``noise`` for K in ``K/P`` and ``drift`` for ``(2K-1)(K-1)/6``."""
    step = s.L * s.gamma
    # K - 1 + delta at the largest delta, 1 - L^2 gamma^2; 0 at K = 1, gamma = 1/L.
    weight = s.K - step**2
    if weight <= 0:
        return BoundValue(inf, 0.0, 0.0)
    scale = s.K * step * s.sigma2 / (s.B * weight)
    start = 2 * s.Delta / (s.N * weight * s.gamma)
    return BoundValue(start, scale * noise / s.P, scale * step * drift)


def k_avg_largest_gamma(s: Setting) -> float:
    """Return the root of the first condition; for K = 1 ``1/L``, which is not admissible itself."""
    # At K = 1 the square has a negative factor and the first condition always holds.
    scaled = positive_root(s.K, (s.K + 1) * (s.K - 2) / 2) if s.K > 1 else 1.0
    return gamma_from(scaled, s.L)
