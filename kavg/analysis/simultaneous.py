"""Confidence intervals that hold together: all of a table at one level.

Of ten intervals at 95 % one misses its value in four tables of ten.  Bonferroni's division of the
level is used here, as it holds for any number of replicas and whatever the intervals have in common
(a baseline, noise).  Resampling the largest of the t ratios has its level for many replicas
only, and is hardly shorter there.  p-values have ``holm.adjust_p_values``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate, paired_difference, unpaired_difference
from kavg.ranges import Confidence, check_count, check_range


def simultaneous_level(level: float, count: int) -> float:
    """Return the level at which ``count`` intervals all hold with probability ``level`` at least.

    ``1 - (1 - level)/count`` (Bonferroni): each misses with probability ``(1 - level)/count`` at
    most, and the probabilities of a miss add up.

    Raises:
        KavgError: if ``level`` is not inside (0, 1) or ``count`` is below 1.

    >>> round(simultaneous_level(0.95, 5), 6)
    0.99
    """
    level = check_range(Confidence, "level", level)
    count = check_count("count", count, "it is the number of intervals in the table")
    return 1 - (1 - level) / count


def simultaneous_differences(
    rows: ArrayLike, baseline: ArrayLike, level: float = 0.95, *, paired: bool = True
) -> Estimate:
    """Return the differences of ``rows (m, R)`` from ``baseline (R,)``, which hold together.

    ``(m,)``, each at ``simultaneous_level(level, m)``; ``paired`` where replica r of all has the
    same noise, else Welch's.

    Raises:
        KavgError: as ``paired_difference`` and ``unpaired_difference``.

    >>> found = simultaneous_differences([[2.0, 3.1, 4.0], [1.1, 2.0, 3.0]], [1.0, 2.0, 3.0])
    >>> found.low.round(3), found.level
    (array([ 0.826, -0.174]), 0.975)
    """
    # A single row is a table of one interval.
    samples = np.atleast_2d(np.asarray(rows, np.float64))
    subtract = paired_difference if paired else unpaired_difference
    return subtract(samples, baseline, simultaneous_level(level, len(samples)))
