"""Maps of stability: the spectral radius over step and momentum."""

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
    """``radius (len(mu), len(gamma_h))`` of one rule at K; ``boundary (len(mu),)`` in gamma h.

    The boundary is analytic (test of Jury), the radius is not: each tests the other.
    """

    K: int
    rule: str
    gamma_h: Floats
    mu: Floats
    radius: Floats
    boundary: Floats

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Where the mean and the variance forget the start: radius below 1."""
        return self.radius < 1


def stability_atlas(
    K: int, gamma_h: ArrayLike, mu: ArrayLike, rule: Callable[[float], Outer] = BlockMomentum
) -> Atlas:
    """The spectral radius of a round at every (mu, gamma h); ``rule`` makes an Outer of mu.

    With SlowMo this is at constant gamma, whose size then does not matter.

    >>> chart = stability_atlas(K=1, gamma_h=[1.0, 2.5], mu=[0.0, 0.5])
    >>> chart.stable
    array([[ True, False],
           [ True,  True]])
    >>> chart.boundary
    array([2., 3.])
    """
    check_count("K", K, "use K=1 for synchronous SGD")
    across, up = _row("gamma_h", gamma_h), _row("mu", mu)
    makers = [rule(float(m)) for m in up]
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
