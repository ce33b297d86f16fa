"""Multiple testing: Holm's step-down procedure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from kavg.base import Floats
from kavg.errors import KavgError


def adjust_p_values(p: ArrayLike) -> Floats:
    """Return Holm's adjusted p-values, ``(m,) -> (m,)`` in the given order.

    The i-th smallest of m p-values is multiplied by ``m - i + 1``; a running maximum keeps the
    order.  Rejecting where the result is at most ``alpha`` rejects any true hypothesis with
    probability at most ``alpha``, however the tests depend on each other (Holm 1979,
    Scand. J. Statist. 6:65).

    Raises:
        KavgError: if ``p`` is not a row of numbers from 0 to 1.

    >>> adjust_p_values([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(p, dtype=np.float64)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise KavgError(f"p-values must be a row of numbers from 0 to 1, got {given!r}")
    order = np.argsort(given, kind="stable")
    scaled = given[order] * np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    # The running maximum keeps the order of the p-values: no test passes before a stronger one.
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
