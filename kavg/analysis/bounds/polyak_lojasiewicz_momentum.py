"""The last iterate under the Polyak-Lojasiewicz inequality, with block momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from kavg.analysis.bounds.bound import Quantity, Status, common_exclusion, gamma_from, positive_root
from kavg.analysis.bounds.polyak_lojasiewicz import pl_exclusion
from kavg.analysis.bounds.setting import BoundValue, Condition, Setting


@final
@dataclass(frozen=True)
class PolyakLojasiewiczMomentum:
    """Final gap of block momentum under PL (derived here; docs/theory.md, section 3.4 (d)).

    Assumptions as in ``Theorem1``, ``||grad F(w)||^2 >= 2m(F(w) - f_star)`` for all w with
    ``m = pl > 0``, and ``L gamma K (1+3mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2
    + 4 L^2 gamma^2 K^2 mu^2/(1-mu)^4 <= 1``.  With ``r = 1 - gamma K m/(2(1-mu))`` and ::

        Phi = r^N Delta + (sigma2/(m B)) {(L gamma/(P(1-mu)))
                [c_K + mu/(1+mu) + 2 L gamma K mu^2/((1-mu)^2 (1+mu))]
                + L^2 gamma^2 (K-1)(c_K - 1/2)/2},

    ``E F(w_{N+1}) - f_star`` is at most
    ``2 Phi + 2 L gamma^2 K mu^2 sigma2/((1-mu)^2 (1-mu^2) P B)``: start ``2 r^N Delta``, drift the
    last term of Phi (times 2), noise all else.  An upper bound, and a loose one: at ``mu = 0`` it
    is valid too, with 4 times the floor and half the rate of ``PolyakLojasiewicz``.

    >>> setting = Setting(4, 1, 1, 2, gamma=0.5, mu=0.0, L=1.0, Delta=1.0, sigma2=1.0, pl=1.0)
    >>> PolyakLojasiewiczMomentum().value(setting)  # r is 3/4
    BoundValue(optimization=1.125, noise=0.25, drift=0.0)
    """

    name = "polyak_lojasiewicz_momentum"
    title = "Polyak-Lojasiewicz, block momentum"
    status: ClassVar[Status] = "derived here"
    source = "docs/theory.md, section 3.4 (d)"
    quantity: ClassVar[Quantity] = "final_gap"
    outer_rules = ("averaging", "block_momentum", "slowmo")

    def exclusion(self, setting: Setting) -> str | None:
        """Exclude ``M_v > 0``, ``zeta2 > 0`` and an unknown m."""
        return common_exclusion(setting) or pl_exclusion(setting)

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return one condition on the step, a quadratic in ``L gamma``."""
        s = setting
        step = s.L * s.gamma
        formula = (
            "L gamma K (1+3mu)/(1-mu)^2 + L^2 gamma^2 K(K-1)/2 "
            "+ 4 L^2 gamma^2 K^2 mu^2/(1-mu)^4 <= 1"
        )
        return (Condition("C1d", _linear_term(s) * step + _square_term(s) * step**2, 1.0, formula),)

    def value(self, setting: Setting) -> BoundValue:
        """Return ``2 Phi``, and the noise that separates w from the sequence z of the proof."""
        s = setting
        floor = s.sigma2 / (s.pl * s.B)
        memory = 2 * s.x * s.mu**2 / ((1 - s.mu) ** 2 * (1 + s.mu))
        noise = floor * s.L * s.eta / s.P * (s.c_K + s.mu / (1 + s.mu) + memory)
        last = s.L * s.eta**2 * s.K * s.mu**2 * s.sigma2 / ((1 - s.mu**2) * s.P * s.B)
        drift = floor * (s.L * s.gamma) ** 2 * s.drift_factor / 2
        # The condition implies that the rate is positive; outside it, a power must not change sign.
        rate = max(1 - s.eta * s.K * s.pl / 2, 0.0)
        return BoundValue(2 * rate**s.N * s.Delta, 2 * (noise + last), 2 * drift)

    def largest_gamma(self, setting: Setting) -> float:
        """Return the root of the condition, in closed form."""
        return gamma_from(positive_root(_linear_term(setting), _square_term(setting)), setting.L)


def _linear_term(s: Setting) -> float:
    return s.K * (1 + 3 * s.mu) / (1 - s.mu) ** 2


def _square_term(s: Setting) -> float:
    return s.K * (s.K - 1) / 2 + 4 * (s.K * s.mu) ** 2 / (1 - s.mu) ** 4
