"""SlowMo's theorem, with the bracket of its step condition squared."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting
from kavg.errors import KavgError
from kavg.ranges import Positive, check_ranges


@final
@dataclass(frozen=True)
class SlowMoSquared:
    """Theorem 1 of Wang, Tantia, Ballas and Rabbat 2019, its condition's bracket squared.

    Published (arXiv 1910.00643, review copy), not proved here; docs/theory.md, sections 1 and 6.4.
    In our letters (theirs: m = P, tau = K, T = N, beta = mu, V = sigma2/(PB), plain SGD as base)
    with ``eta = alpha gamma/(1-mu)`` assume F is L-smooth and at least f_star, bounded variance,
    and ``L eta (1 + sqrt(3) max(3K(1-mu-alpha)/alpha, 4K mu/(1-mu), 1)) <= 1``.  Then the mean over
    ALL N K local steps of ``E||grad F(x_{n,k})||^2``, x the mean of the learners, is at most the
    sum of ::

        start  2 Delta/(N K eta)
        noise  L eta V + 4 V L^2 eta^2 (K-1) ((1-mu)/alpha - 1)^2
                 + 8 V L^2 eta^2 K mu^2/(1-mu^2)
        drift  base_effect

    with ``base_effect`` the mean of ``E||grad F(x_{n,k}) - E d_{n,k}||^2``, d the learners' mean
    gradient: exactly 0 for P = 1, K = 1 or a quadratic, elsewhere it must be given.  The paper
    fixes ``eta = sqrt(P/(K N))``; measuring F in other units makes any eta that one.

    An upper bound for ``alpha <= 1`` if the condition is right, which is open, as is whether its
    constants are exact.  For ``alpha > 1`` it is not: the condition does not see K where
    ``mu = 0``, and lets steps through that diverge.
    Meta-iterates measure the left side only for K = 1; ``Theorem1`` bounds the gradients at
    meta-iterates.  As printed the condition lacks the square (``printed_condition``) and admits
    steps for which the bound is false.

    Raises:
        KavgError: if ``alpha`` is not positive or ``base_effect`` is negative.

    >>> setting = Setting(P=4, K=1, B=1, N=100, gamma=0.1, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0)
    >>> SlowMoSquared().value(setting)
    BoundValue(optimization=0.2, noise=0.025, drift=0.0)
    """

    alpha: Positive = 1.0
    base_effect: float = nan
    name = "slowmo_squared"
    title = "SlowMo, bracket squared"
    status: ClassVar[Status] = "published, with the bracket squared"
    source = "Wang et al. 2019, arXiv 1910.00643, Theorem 1; docs/theory.md, sections 1 and 6.4"
    quantity: ClassVar[Quantity] = "mean_grad_norm2_local"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.base_effect < 0:
            raise KavgError(
                f"base_effect must be at least 0, got {self.base_effect!r}; NaN: unknown"
            )

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``alpha > 1``, ``M_v > 0``, ``zeta2 > 0`` and an unknown ``base_effect``."""
        if self.alpha > 1:
            return f"its condition is for alpha of at most 1, not alpha = {self.alpha:g}"
        if reason := common_exclusion(setting):
            return reason
        if _has_no_effect(setting) or not isnan(self.base_effect):
            return None
        return "base_effect is unknown: it is 0 only for P = 1, K = 1 or an affine gradient"

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the printed condition with the bracket squared, as its square root."""
        # Its root is linear in L gamma, so that the largest step has a closed form.
        left = setting.L * _effective_step(setting, self.alpha) * step_bracket(setting, self.alpha)
        formula = "L eta (1 + sqrt(3) max(3K(1-mu-alpha)/alpha, 4K mu/(1-mu), 1)) <= 1"
        return (Condition("bracket squared", left, 1.0, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return the terms; slow momentum's are noise, the base optimizer's is drift."""
        s, eta = setting, _effective_step(setting, self.alpha)
        V = s.sigma2 / (s.P * s.B)
        start = 4 * (s.K - 1) * ((1 - s.mu) / self.alpha - 1) ** 2
        slow = start + 8 * s.K * s.mu**2 / (1 - s.mu**2)
        noise = s.L * eta * V + (s.L * eta) ** 2 * V * slow
        effect = 0.0 if _has_no_effect(s) else self.base_effect
        return BoundValue(2 * s.Delta / (s.N * s.K * eta), noise, effect)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of the condition, in closed form."""
        scaled = (1 - setting.mu) / (self.alpha * step_bracket(setting, self.alpha))
        return gamma_from(scaled, setting.L)


def printed_condition(setting: Setting, alpha: float = 1.0) -> Condition:
    """Return the condition as the review copy prints it, which is too weak.

    Without noise on ``(L/2)||w||^2`` with P = 4, K = 8, mu = 0.8, N = 1024 at equality the measured
    mean is 1.61 times the bound (docs/theory.md, section 1; the tests run it).

    >>> setting = Setting(4, 8, 1, 1024, gamma=0.2 / 15, mu=0.8, L=1.0, Delta=1.0, sigma2=0.0)
    >>> printed_condition(setting).met, SlowMoSquared().conditions(setting)[0].met
    (True, False)
    """
    left = (setting.L * _effective_step(setting, alpha)) ** 2 * step_bracket(setting, alpha)
    formula = "L^2 eta^2 (1 + sqrt(3) max(3K(1-mu-alpha)/alpha, 4K mu/(1-mu), 1)) <= 1"
    return Condition("as printed", left, 1.0, formula)


def step_bracket(s: Setting, alpha: float = 1.0) -> float:
    """Return ``1 + sqrt(3) max(3K(1-mu-alpha)/alpha, 4K mu/(1-mu), 1)``.

    >>> setting = Setting(4, 8, 1, 1024, gamma=0.1, mu=0.8, L=1.0, Delta=1.0, sigma2=0.0)
    >>> round(step_bracket(setting), 1)  # 1 + 128 sqrt(3)
    222.7
    """
    terms = (3 * s.K * (1 - s.mu - alpha) / alpha, 4 * s.K * s.mu / (1 - s.mu), 1.0)
    return 1 + sqrt(3) * max(terms)


def _has_no_effect(s: Setting) -> bool:
    """True if the mean of the learners' gradients is the gradient at their mean."""
    return s.P == 1 or s.K == 1 or s.is_affine


def _effective_step(s: Setting, alpha: float = 1.0) -> float:
    """Return ``alpha gamma/(1 - mu)``, the step of the averaged model."""
    return alpha * s.eta
