"""Warnings about a finished run, from its own numbers: results that look like one and are none."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

import numpy as np

from kavg.analysis.estimate import paired_difference
from kavg.base import Floats, Objective
from kavg.reports.labels import run_labels
from kavg.trajectory import Trajectory

GROWTH: Final = 1e10
"""Growth of F over its start that no run which converges has."""
LOW: Final = 1e-3
"""Share of the last gap F - f_star below which a run counts as begun at a minimum."""
STEADY: Final = 100.0
"""Rise of F over a whole run, in multiples of that over its first half, that is not noise."""
FEW: Final = 4
"""Recorded rounds up to which nothing is said of that rise."""
HUGE: Final = 1e30
"""F above which a run diverges, however few its rounds are."""
VANISHED: Final = 1e-8
"""Share of ``2 L (F - f_star)``, the largest squared gradient there, that counts as none."""
ROUNDING: Final = 1e-6
"""Share of the gap at the start below which F has reached its infimum."""


def list_result_warnings(objective: Objective, runs: Sequence[Trajectory]) -> list[str]:
    """Return a line for each run that ended above its start, or where the gradient vanished.

    A run whose ``diverged_at`` is set has none: its table says so.

    >>> from kavg import Algorithm, Problem, objectives, oracles, outer, simulate
    >>> bowl = Problem(objectives.Quadratic((1.0,)), oracles.Noiseless(), start=1.0)
    >>> method = Algorithm(P=1, K=1, gamma=2.5, outer=outer.Averaging(), name="SGD")
    >>> list_result_warnings(bowl.objective, [simulate(bowl, method, rounds=2)])
    ['SGD: F ended at 2.531, above its start at 0.5; reduce gamma']
    """
    found = ((name, _warn_of_run(objective, run)) for name, run in _named(runs))
    return [f"{name}: {words}" for name, words in found if words is not None]


def _named(runs: Sequence[Trajectory]) -> list[tuple[str, Trajectory]]:
    return list(zip(run_labels(runs), runs, strict=True)) if runs else []


def _warn_of_run(objective: Objective, run: Trajectory) -> str | None:
    if run.diverged_at is not None or len(run.rounds) < 2:
        return None
    # Numbers near the largest may overflow here, and a comparison with infinity is right.
    with np.errstate(over="ignore", invalid="ignore"):
        return _warn_of_growth(objective, run) or _warn_of_plateau(objective, run)


def _warn_of_growth(objective: Objective, run: Trajectory) -> str | None:
    first, middle, last = (float(run.F[i].mean()) for i in (0, (len(run.F) - 1) // 2, -1))
    f_star = objective.f_star.value
    gap = first - f_star if isfinite(f_star) else abs(first)
    is_growing = len(run.F) > FEW and last - first > STEADY * (middle - first)
    if last - first > GROWTH * gap and (is_growing or last > HUGE):
        return (
            f"F grew from {first:.4g} to {last:.4g}: the run diverges, though its numbers are "
            "still finite; reduce gamma"
        )
    # From a minimum noise leads upwards, as far as its floor and no farther.
    starts_low = isfinite(f_star) and gap <= LOW * (last - f_star)
    if (starts_low and not is_growing) or not _has_risen(run.F[0], run.F[-1]):
        return None
    return f"F ended at {last:.4g}, above its start at {first:.4g}; reduce gamma"


def _has_risen(first: Floats, last: Floats) -> bool:
    """True if the mean rose by more than rounding and, over replicas, by more than chance."""
    change = paired_difference(last, first)
    low = float(change.mean if len(first) == 1 else change.low)
    return low > ROUNDING * float(np.abs(first).mean())


def _warn_of_plateau(objective: Objective, run: Trajectory) -> str | None:
    # Only where the infimum is known: L of a data set may take long to compute.
    if objective.f_star.how != "exact" or not isfinite(objective.f_star.value):
        return None
    gaps, squares = run.F - objective.f_star.value, run.grad_norm2[-1]
    largest = 2 * objective.L.value * gaps[-1]
    is_stuck = (gaps[-1] > ROUNDING * np.maximum(gaps[0], abs(objective.f_star.value))) & (
        squares <= VANISHED * largest
    )
    if not np.isfinite(largest).all() or 2 * int(is_stuck.sum()) < run.replicas:
        return None
    return (
        f"the gradient has vanished, ||grad F||^2 = {squares[is_stuck].mean():.3g}, where F is "
        f"still {gaps[-1][is_stuck].mean():.4g} above its infimum ({int(is_stuck.sum())} of "
        f"{run.replicas} replicas): a plateau, a saddle or a local minimum; start elsewhere"
    )
