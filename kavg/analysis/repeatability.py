"""Two runs of one algorithm whose bits differ: by more than rounding, and by more than chance?

Another processor or another NumPy rounds the last places otherwise.  Two things excuse a
difference:

- *rounding*: everywhere ``|a - b| <= (1 + n K) (2^-24 max(|a|, |b|) + 2^-52 max_n |a|)``, what one
  rounding in the last place of float32 (noise is drawn in it) at each local step adds up to;
- *chance*: a nonconvex function carries what is rounded into another basin, but does not prefer
  one.  Student's two-sided test of the paired differences, at the last round and of the means over
  all rounds (the smaller p-value doubled), with Holm's rule over all quantities of all algorithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.analysis.estimate import Estimate, paired_difference
from kavg.analysis.holm import adjust_p_values
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.trajectory import Trajectory

SINGLE: Final = 2.0**-24
DOUBLE: Final = 2.0**-52


@final
@dataclass(frozen=True, eq=False)
class Discrepancy:
    """How far apart one quantity of one algorithm is.

    ``growth`` is the largest difference over what rounding excuses; ``limits`` hold the mean of
    the paired differences at the last round; ``p`` is 1 where rounding excuses all, and 0 where
    nothing can be tested.
    """

    algorithm: str
    quantity: str
    growth: float
    limits: Estimate
    p: float


def measure_discrepancies(a: Trajectory, b: Trajectory, level: float = 0.05) -> list[Discrepancy]:
    """One gap for each quantity; both have the same rounds, replicas and quantities.

    >>> F = np.array([[4.0, 4.0, 4.0], [1.0, 1.5, 1.25]])
    >>> run = Trajectory("K-AVG", 2, 8, 1, np.arange(2), {"F": F}, F.T, F.T, np.zeros(2))
    >>> [_measure_discrepancy.growth for _measure_discrepancy in measure_discrepancies(run, run)]
    [0.0]
    """
    if a.series.keys() != b.series.keys() or not np.array_equal(a.rounds, b.rounds):
        raise KavgError("only runs of the same rounds and quantities can be held side by side")
    return [
        _measure_discrepancy(a, name, a.series[name], b.series[name], level) for name in a.series
    ]


def _measure_discrepancy(
    run: Trajectory, name: str, a: Floats, b: Floats, level: float
) -> Discrepancy:
    """The gap between ``a`` and ``b (T, R)``."""
    growth = rounding_ratio(a, b, run.steps)
    p = (
        1.0
        if growth <= 1
        else min(
            1.0, 2 * min(paired_p_value(a[-1] - b[-1]), paired_p_value(_mean_differences(a, b)))
        )
    )
    return Discrepancy(run.name, name, growth, paired_difference(a[-1], b[-1], 1 - level), p)


def rounding_ratio(a: Floats, b: Floats, steps: NDArray[np.int64]) -> float:
    """The largest ``|a - b|`` over what rounding excuses; infinite where that is nothing."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        largest = np.maximum(np.abs(a), np.abs(b))
        excused = (1.0 + steps[:, None]) * (SINGLE * largest + DOUBLE * largest.max(axis=0))
        quotient = np.where(a == b, 0.0, np.abs(a - b) / excused)
    return float(np.nan_to_num(quotient, nan=np.inf).max())


def _mean_differences(a: Floats, b: Floats) -> Floats:
    """The means over the rounds of ``a - b``, replica by replica, in units that cannot overflow."""
    scale = max(float(np.abs(a).max()), float(np.abs(b).max())) or 1.0
    return np.asarray((a / scale - b / scale).mean(axis=0))


def paired_p_value(differences: Floats) -> float:
    """Student's two-sided p-value of "their mean is zero"; 0 where there is nothing to test.

    >>> round(paired_p_value(np.array([1.0, 2.0, 3.0])), 4), paired_p_value(np.array([1.0]))
    (0.0742, 0.0)
    """
    R, largest = len(differences), float(np.abs(differences).max())
    if largest == 0:
        return 1.0
    scaled = differences / largest
    error = float(scaled.std(ddof=1)) / R**0.5 if R > 1 else 0.0
    if not error > 0:
        return 0.0
    from scipy.special import stdtr

    return 2 * float(stdtr(R - 1, -abs(float(scaled.mean())) / error))


def significant_discrepancies(
    found: Sequence[Discrepancy], level: float = 0.05
) -> list[Discrepancy]:
    """Those that are more than rounding and chance; ``level`` is the chance of a wrong one."""
    adjusted = adjust_p_values([gap.p for gap in found])
    return [gap for gap, p in zip(found, adjusted, strict=True) if p <= level]
