"""Rows of several copies of a run, which share their draws.

Their arrays are ``(t, copies R, d)``: row ``c R + r`` is replica r of copy c.  A draw belongs to a
replica, so all copies have the same, and it is computed once for all of them.
"""

from __future__ import annotations

from kavg.base import Floats


def split_copies(rows: Floats, copies: int) -> Floats:
    """Return a view of rows with an axis of copies: ``(t, copies R, d)`` to ``(t, copies, R, d)``.

    >>> import numpy as np
    >>> split_copies(np.zeros((4, 6, 5)), copies=3).shape
    (4, 3, 2, 5)
    """
    return rows.reshape(len(rows), copies, -1, rows.shape[-1])
