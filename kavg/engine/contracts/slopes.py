"""The gradient against the slope of the value, judged only where both are clear.

A gradient that is the derivative of ``value`` agrees with a difference quotient wherever F is
smooth at the scale of the step.  One agreement is enough; a contradiction needs every point and
direction that was tried, as F may have kinks, noise of rounding, or no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from kavg.arrays import freeze
from kavg.base import Floats, Objective
from kavg.errors import KavgError

MOVES: Final = (0.0, 0.1, -0.3)
"""Points that are tried: ``w + move (1 + |w|)``."""
STEPS: Final = (1e-3, 1e-5, 1e-7)
"""Steps of the difference quotients, relative to ``1 + ||x||``."""
UNDERFLOW: Final = 1e-290
"""Differences of values below which digits may be lost to the smallest floats."""
AGREEMENT: Final = 0.05
"""Relative difference up to which slope and quotient agree."""
STEADY: Final = 1e-3
"""Relative difference up to which slopes at several points are the same."""
CLARITY: Final = 0.01
"""Relative difference up to which two quotients, or two ratios, are the same number."""


@final
@dataclass(frozen=True)
class ContradictedSlope:
    """A slope that ``grad`` claims and the clear quotient of ``value`` that contradicts it.

    ``is_along`` is true where the direction is that of the gradient itself.
    """

    claimed: float
    measured: float
    is_along: bool


def check_slopes(name: str, objective: Objective, w: Floats) -> str | None:
    """Compare ``grad`` with quotients of ``value`` at and around ``w (d,)``.

    Returns a suspicion in words, if there is one.  Raises ``KavgError`` if the gradient clearly has
    the opposite direction at each point, or is everywhere the same multiple of a derivative that
    itself differs.  Where it does not, a gradient that is clipped to a constant is such a multiple,
    and meant; a gradient of zeros is not.
    """
    found: list[ContradictedSlope] = []
    points = 0
    for x in (w + move * (1.0 + np.abs(w)) for move in MOVES):
        slopes = _contradictions(objective, x)
        if slopes is None:
            return None
        found += slopes
        points += bool(slopes)
    # A single point may be a kink.
    return _judge(name, found) if points > 1 else None


def _judge(name: str, found: list[ContradictedSlope]) -> str:
    along = [slope for slope in found if slope.is_along]
    if along and all(slope.measured < 0 for slope in along):
        raise KavgError(
            f"{name}.grad must be the gradient of value, got the opposite direction: value falls "
            "along it at every point that was tried; change the sign of one of the two"
        )
    ratios = np.array([slope.claimed / slope.measured for slope in found if slope.measured])
    is_multiple = len(ratios) == len(found) and _spread(ratios) <= CLARITY
    steepness = np.abs([slope.measured for slope in along])
    # The multiples of a constant differ as much as the slopes.
    if is_multiple and not (along and _spread(steepness) <= max(STEADY, 2 * _spread(ratios))):
        raise KavgError(
            f"{name}.grad must be the gradient of value, got {ratios.mean():.4g} times its "
            "derivative at every point that was tried; correct one of the two"
        )
    return (
        f"{name}.grad is not the derivative of value at any point that was tried (slope "
        f"{found[0].claimed:.4g}, by differences {found[0].measured:.4g}): what is recorded as F "
        "is not what the learners descend on"
    )


def _spread(numbers: Floats) -> float:
    return float(np.ptp(numbers) / (np.abs(numbers).max() or 1.0))


def _contradictions(objective: Objective, x: Floats) -> list[ContradictedSlope] | None:
    """Return what contradicts the gradient at a point, or None where something agrees with it."""
    found = []
    try:
        g = np.full((1, x.size), np.nan)
        objective.grad(freeze(x[None].copy()), g)
        for u, is_along in _directions(g[0]):
            claimed = float(np.vecdot(g[0], u))
            measured = _measure(objective, x, u, claimed)
            if measured == claimed:
                return None
            if np.isfinite(measured) and np.isfinite(claimed):
                found.append(ContradictedSlope(claimed, measured, is_along))
    except Exception:  # a point that no run need visit may lie outside of F's domain
        return []
    return found


def _directions(g: Floats) -> Iterator[tuple[Floats, bool]]:
    norm = float(np.linalg.norm(g))
    if 0 < norm < np.inf:
        yield g / norm, True
    other = np.cos(np.arange(1.0, g.size + 1.0))
    yield other / np.linalg.norm(other), False


def _measure(objective: Objective, x: Floats, u: Floats, claimed: float) -> float:
    """Return the slope of ``value`` along ``u``: ``claimed`` if it agrees, NaN if it is unclear."""
    quotients = []
    for step in STEPS:
        h = step * (1.0 + float(np.linalg.norm(x)))
        F = np.asarray(objective.value(freeze(np.stack([x + h * u, x - h * u]))))
        quotient = float(F[0] - F[1]) / (2 * h)
        eps = float(np.finfo(np.result_type(F, np.float32)).eps)
        noise = 16 * max(eps * float(np.abs(F).max()), UNDERFLOW) / h
        largest = max(abs(quotient), abs(claimed))
        if largest > noise and abs(quotient - claimed) <= AGREEMENT * largest + noise:
            return claimed
        quotients.append(quotient if largest > noise else np.nan)
    gaps = np.abs(np.diff(quotients))
    if not np.isfinite(gaps).any():
        return np.nan
    best = int(np.nanargmin(gaps))
    clear = gaps[best] <= CLARITY * abs(quotients[best])
    return quotients[best] if clear else np.nan
