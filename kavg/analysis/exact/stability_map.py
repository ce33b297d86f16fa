"""Stability maps: the spectral radius of a round over step size and momentum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.analysis.exact.heavy_ball import contraction
from kavg.analysis.exact.linear_rules import linear_rule, stack_rules
from kavg.analysis.exact.stationary import (
    largest_stable_gamma_h,
    spectral_radius,
    trace_and_determinant,
)
from kavg.base import Floats, Outer
from kavg.errors import KavgError
from kavg.outer import BlockMomentum
from kavg.ranges import check_count


@final
@dataclass(frozen=True, eq=False)
class Atlas:
    """The spectral radius of one rule at K over a grid, with the boundary of stability.

    ``radius (len(mu), len(gamma_h))``; ``boundary (len(mu),)`` in ``gamma h``.  The boundary comes
    from Jury's criterion, the radius from the roots: each tests the other.
    """

    K: int
    rule: str
    gamma_h: Floats
    mu: Floats
    radius: Floats
    boundary: Floats

    @property
    def stable(self) -> NDArray[np.bool_]:
        """True where the spectral radius is below 1, so that mean and variance converge."""
        return self.radius < 1


def stability_atlas(
    K: int, gamma_h: ArrayLike, mu: ArrayLike, rule: Callable[[float], Outer] = BlockMomentum
) -> Atlas:
    """Return the spectral radius of a round at every (mu, gamma h).

    ``rule`` makes an outer rule of mu.  With SlowMo gamma is constant, and its size does not
    matter.

    Raises:
        KavgError: if K is below 1 or an axis is not a row of finite numbers.

    >>> chart = stability_atlas(K=1, gamma_h=[1.0, 2.5], mu=[0.0, 0.5])
    >>> chart.stable
    array([[ True, False],
           [ True,  True]])
    >>> chart.boundary
    array([2., 3.])
    """
    K = check_count("K", K, "use K=1 for synchronous SGD")
    across, up = _row("gamma_h", gamma_h), _row("mu", mu)
    makers = [rule(float(m)) for m in up]
    # Any gamma will do: rho depends on gamma h alone, and stability on rho.
    rules = [linear_rule(outer, gamma=1.0) for outer in makers]
    radius = spectral_radius(
        *trace_and_determinant(stack_rules(rules).matrix(contraction(across, K)))
    )
    edge = np.array([largest_stable_gamma_h(each, K) for each in rules])
    return Atlas(K, type(makers[0]).__name__, across, up, radius, edge)


def _row(name: str, values: ArrayLike) -> Floats:
    row = np.asarray(values, np.float64)
    if row.ndim != 1 or not row.size or not np.isfinite(row).all():
        raise KavgError(f"{name} must be a row of finite numbers, got {name} of shape {row.shape}")
    return row
