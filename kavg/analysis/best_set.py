"""Which of several settings can be the best one: a confidence set that choosing does not bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.errors import KavgError


def best_set_p_values(samples: ArrayLike) -> Floats:
    """Return for each setting the p-value of "no other has a lower mean": ``(m, R) -> (m,)``.

    Setting i is compared with every other by Student's paired t, one-sided, and the smallest of the
    m - 1 p-values counts m - 1 times (Bonferroni).  ``{i: p_i > alpha}`` then contains the setting
    whose mean is truly least with probability at least ``1 - alpha``: for that setting all m - 1
    hypotheses hold.  It is a subset selection in the sense of Gupta (1965, Technometrics 7:225),
    and no reference is chosen by the data that judge it, so nothing is lost to that choice.

    Replicas r of all settings may share their noise (common random numbers); without that the set
    is only larger.  Settings with a value that is not finite get 0, and the others are compared
    without them; all get NaN where there is a single replica.

    Raises:
        KavgError: if ``samples`` is not a table of one or more settings and replicas.

    >>> best_set_p_values([[1.0, 1.2, 0.9], [1.1, 1.1, 1.0], [5.0, 5.2, 4.8]]).round(4)
    array([1.000e+00, 6.667e-01, 1.000e-04])
    """
    x = np.asarray(samples, np.float64)
    if x.ndim != 2 or not x.size:
        raise KavgError(
            f"samples must have one or more settings and replicas, (m, R), got shape {x.shape}"
        )
    p = np.full(len(x), np.nan if x.shape[1] == 1 else 0.0)
    finite = np.isfinite(x).all(axis=1)
    if x.shape[1] > 1 and finite.any():
        p[finite] = _compare_with_others(x[finite])
    return p


def _compare_with_others(x: Floats) -> Floats:
    """The p-values of finite samples; row by row, as all pairs at once would need m^2 R numbers."""
    from scipy.special import stdtr

    m, R = x.shape
    # T does not depend on the unit, but squares of a run that is about to diverge overflow.
    scaled = x / (np.abs(x).max() or 1.0)
    p = np.ones(m)
    for i in range(m):
        gap = np.delete(scaled[i] - scaled, i, axis=0)
        mean, error = gap.mean(axis=1), gap.std(axis=1, ddof=1) / np.sqrt(R)
        # Without spread there is no T: replicas that all agree decide by their sign.
        certain = np.select([mean > 0, mean < 0], [np.inf, -np.inf], 0.0)
        T = np.divide(mean, error, out=certain, where=error > 0)
        p[i] = min(1.0, (m - 1) * stdtr(R - 1, -T).min(initial=1.0)) if m > 1 else 1.0
    return p
