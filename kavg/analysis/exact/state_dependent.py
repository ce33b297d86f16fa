"""Closed forms in one dimension for noise that depends on the state (docs/theory.md, 4.6).

The noise of one mini-batch at a local iterate x has variance ``m_0 + m_v h^2 x^2``.  Block
momentum only; ``exact.moment_recursion`` has every linear rule and any dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.analysis.exact.eigenbasis import geometric_sum
from kavg.analysis.exact.heavy_ball import contraction, is_stable, noise_gain
from kavg.ranges import (
    Finite,
    Momentum,
    check_count,
    check_not_negative,
    check_positive,
    check_range,
)


@final
@dataclass(frozen=True)
class StateDependentNoise:
    """The noise of a round, ``Var(eps_n | w_n) = q_0 + q_1 w_n^2``, and its stationary gain.

    ``gain`` is C of 4.6 (``heavy_ball.noise_gain``), infinite where the mean is not stable.

    >>> law = state_dependent_noise(h=1.0, gamma=0.1, K=1, P=1, mu=0.0, m_0=1.0, m_v=1.0)
    >>> round(law.q_0, 12), round(law.q_1, 12)
    (0.01, 0.01)
    """

    q_0: float
    q_1: float
    gain: float

    @property
    def is_stable(self) -> bool:
        """True if ``C q_1 < 1``, so that second moments stay bounded."""
        return self.gain * self.q_1 < 1 if np.isfinite(self.gain) else False

    @property
    def second_moment(self) -> float:
        """The stationary ``E w^2 = C q_0/(1 - C q_1)``; infinite where not stable."""
        return self.gain * self.q_0 / (1 - self.gain * self.q_1) if self.is_stable else np.inf


def state_dependent_noise(
    *, h: float, gamma: float, K: int, P: int, mu: float, m_0: float, m_v: float
) -> StateDependentNoise:
    """Return ``q_0``, ``q_1`` and C for one eigenvalue h.

    ``q_0 = gamma^2 m_0 (1 - a_2^K)/(P (1 - a_2))`` and ``q_1 = (a_2^K - rho^2)/P``, where
    ``a_2 = r^2 + gamma^2 m_v h^2`` is the factor of the second moment in one local step.

    Raises:
        KavgError: if a count is below 1, gamma is not positive, a variance is negative or mu lies
            outside [0, 1).

    >>> law = state_dependent_noise(h=1.0, gamma=0.1, K=4, P=2, mu=0.5, m_0=1.0, m_v=0.0)
    >>> law.q_1, law.is_stable
    (0.0, True)
    """
    h, mu = check_range(Finite, "h", h), check_range(Momentum, "mu", mu)
    gamma, m_0 = check_positive("gamma", gamma), check_not_negative("m_0", m_0)
    m_v = check_not_negative("m_v", m_v)
    K = check_count("K", K, "use K=1 for synchronous SGD")
    P = check_count("P", P, "use P=1 for a single learner")
    r2, rho = (1 - gamma * h) ** 2, contraction(gamma * h, K)
    extra = gamma**2 * m_v * h**2
    q_0 = gamma**2 * m_0 * geometric_sum(r2 + extra, K) / P
    # a^K - b^K = (a - b) sum a^t b^(K-1-t): nothing cancels, and m_v = 0 gives exactly 0.
    mixed = sum((r2 + extra) ** t * r2 ** (K - 1 - t) for t in range(K))
    gain = float(noise_gain(rho, mu)) if is_stable(rho, mu) else np.inf
    return StateDependentNoise(float(q_0), float(extra * mixed / P), gain)
