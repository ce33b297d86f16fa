"""How far successive mean displacements align, and what an outer rule makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from kavg.base import Floats, RoundView
from kavg.elementary.sums import sum_over_coordinates, sum_squares

PRODUCTS: Final = 4
"""Numbers that are remembered beside the last displacement and the last ``w``."""


@final
@dataclass(frozen=True)
class Alignment:
    """Products of mean displacements, their lag correlation, and the aligned gain of the momentum.

    With ``d_n`` the mean displacement of round n, which moved the meta-iterate from ``w_n`` to
    ``w_{n+1}``::

        displacement_norm2 = ||d_n||^2
        lag_product        = <d_n, d_{n-1}>
        move_product       = <w_{n+1} - w_n, d_n>
        lag_correlation    = <d_n, d_{n-1}> / (||d_n|| ||d_{n-1}||)      between -1 and 1
        aligned_gain       = <w_{n+1} - w_n, d_n> / ||d_n||^2

    The aligned gain is what the momentum makes of a displacement, along it: 1 for averaging,
    ``1/(1 - mu)`` for block momentum while all displacements are alike, and less where they turn.
    The gain ``1/(1 - mu)`` itself is ``EffectiveStep``.  On quadratics the first three have exact
    means; the last two are ratios, NaN in rounds where they divide by 0 or have no last round.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> problem = Problem(objectives.Linear(dim=1), oracles.Noiseless(), start=0.0)
    >>> method = Algorithm(P=2, K=3, gamma=1.0, outer=outer.BlockMomentum(mu=0.5))
    >>> run = simulate(problem, method, rounds=3, record=["alignment"])
    >>> run.aligned_gain[:, 0], run.lag_product[:, 0]
    (array([ nan, 1.  , 1.5 , 1.75]), array([nan, nan,  9.,  9.]))
    """

    kind = "alignment"
    same_bits = "any machine"
    names = (
        "displacement_norm2",
        "lag_product",
        "move_product",
        "lag_correlation",
        "aligned_gain",
    )

    def plan(self, problem: Any, algorithm: Any, *, R: int, seed: int) -> PlannedAlignment:
        """Return the measure of one run."""
        return PlannedAlignment(int(problem.dim))


@final
class PlannedAlignment:
    """The measure of one run; its memory holds ``w``, the displacement, and their products."""

    reads_displacement = True

    def __init__(self, d: int) -> None:
        self.d = d
        self.width = 2 * d + PRODUCTS

    def update(self, now: RoundView, memory: Floats) -> None:
        """Multiply the displacement with the last one and with the move, and remember it."""
        d = self.d
        w, last, products = memory[:, :d], memory[:, d : 2 * d], memory[:, 2 * d :]
        new = now.displacement
        if new is None:
            products[...] = np.nan
        else:
            norm2 = products[:, 0].copy()
            products[:, 0] = sum_squares(new)
            # There is no displacement before the first.
            products[:, 1] = sum_over_coordinates(new * last) if now.n > 1 else np.nan
            products[:, 2] = sum_over_coordinates((now.w - w) * new)
            products[:, 3] = norm2
            last[...] = new
        w[...] = now.w

    def measure(self, now: RoundView, memory: Floats) -> Floats:
        """Return the five series, ``(5, R)``."""
        norm2, lag, move, before = memory[:, 2 * self.d :].T
        # Roots first, as the product of two squares may overflow or vanish.
        correlation = lag / (np.sqrt(norm2) * np.sqrt(before))
        return np.array((norm2, lag, move, correlation, move / norm2))
