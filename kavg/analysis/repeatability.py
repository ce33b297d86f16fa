"""Differences between a run and its repetition, compared with rounding and with chance.

Another processor or another NumPy rounds the last digits differently.  Two things can explain a
difference:

- *rounding*: everywhere ``|a - b| <= (1 + n K) (2^-24 max(|a|, |b|) + 2^-52 max_n |a|)``, the sum
  of one rounding in the last place of float32 (noise is drawn in it) at each local step;
- *chance*: on a nonconvex function a rounding can lead a replica to another basin, but it prefers
  none.  Student's two-sided test of the paired differences, at the last round and of the means
  over all rounds (the smaller p-value doubled), with Holm's procedure over all quantities of all
  algorithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.estimate import Estimate, paired_difference
from kavg.analysis.holm import adjust_p_values
from kavg.analysis.student import one_sided_p_values
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.trajectory import Trajectory

_SINGLE: Final = 2.0**-24
"""Half a unit in the last place of float32, in which noise is drawn."""
_DOUBLE: Final = 2.0**-52
"""A unit in the last place of float64, relative to the largest value of a series."""


@final
@dataclass(frozen=True, eq=False)
class Discrepancy:
    """The difference of one quantity of one algorithm between two runs.

    ``rounding`` is the largest difference over what rounding explains; ``interval`` is the
    confidence interval of the mean paired difference at the last round; ``p`` is 1 where rounding
    explains all, and 0 where there is no spread to test against.
    """

    algorithm: str
    quantity: str
    rounding: float
    interval: Estimate
    p: float


def measure_discrepancies(a: Trajectory, b: Trajectory, level: float = 0.05) -> list[Discrepancy]:
    """Return a discrepancy for each quantity of two runs of one algorithm.

    Raises:
        KavgError: if the runs have different rounds or quantities.

    >>> F = np.array([[4.0, 4.0, 4.0], [1.0, 1.5, 1.25]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> [found.rounding for found in measure_discrepancies(run, run)]
    [0.0]
    """
    if a.series.keys() != b.series.keys() or not np.array_equal(a.rounds, b.rounds):
        raise KavgError("runs must have the same rounds and quantities to be compared")
    return [
        _measure_discrepancy(a, name, a.series[name], b.series[name], level) for name in a.series
    ]


def _measure_discrepancy(
    run: Trajectory, name: str, a: Floats, b: Floats, level: float
) -> Discrepancy:
    rounding = rounding_ratio(a, b, run.steps)
    p = 1.0
    # A difference must be both beyond rounding and significant.
    if rounding > 1:
        last, mean = _subtract(a[-1], b[-1]), _mean_difference(a, b)
        p = min(1.0, 2 * min(paired_p_value(last), paired_p_value(mean)))
    return Discrepancy(run.name, name, rounding, paired_difference(a[-1], b[-1], 1 - level), p)


def rounding_ratio(a: Floats, b: Floats, steps: NDArray[np.int64]) -> float:
    """Return the largest ``|a - b|`` over what rounding explains after ``steps (T,)`` local steps.

    ``a, b (T, R)``; above 1 is more than rounding, infinite where rounding explains nothing.

    >>> rounding_ratio(np.array([[1.0]]), np.array([[1.0 + 2.0**-24]]), np.array([0])) < 1
    True
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        # A measure may be NaN or infinite; that explains nothing.
        largest = np.nan_to_num(np.maximum(np.abs(a), np.abs(b)), posinf=0.0)
        explained = (1.0 + steps[:, None]) * (_SINGLE * largest + _DOUBLE * largest.max(axis=0))
        gap = np.abs(_subtract(a, b))
        quotient = np.where(gap == 0, 0.0, gap / explained)
    return float(np.nan_to_num(quotient, nan=np.inf, posinf=np.inf).max())


def _mean_difference(a: Floats, b: Floats) -> Floats:
    # The mean over rounds of a - b, replica by replica, in units in which no sum overflows.
    finite = np.abs(np.stack((a, b)))
    scale = float(np.max(finite, where=np.isfinite(finite), initial=0.0)) or 1.0
    return np.asarray(_subtract(a / scale, b / scale).mean(axis=0))


def _subtract(a: Floats, b: Floats) -> Floats:
    # Equal infinities, and two NaN, differ by NaN, but a repetition that has both is right.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, a - b)


def paired_p_value(differences: Floats) -> float:
    """Return Student's two-sided p-value of "the mean difference is zero", for ``(R,)`` replicas.

    1 where all differences are zero; 0 where they are not but have no spread to test against (one
    replica, or all equal, or not finite).

    >>> round(paired_p_value(np.array([1.0, 2.0, 3.0])), 4), paired_p_value(np.array([1.0]))
    (0.0742, 0.0)
    """
    if not np.any(differences):
        return 1.0
    if not np.isfinite(differences).all():
        return 0.0
    sides = one_sided_p_values(differences)
    return 2 * min(sides) if sides else 0.0


def significant_discrepancies(
    found: Sequence[Discrepancy], level: float = 0.05
) -> list[Discrepancy]:
    """Return the discrepancies beyond rounding and chance.

    With probability ``1 - level`` none of them is wrong (Holm's procedure).
    """
    # One family for Holm, over all quantities of all algorithms.
    adjusted = adjust_p_values([one.p for one in found])
    return [one for one, p in zip(found, adjusted, strict=True) if p <= level]
