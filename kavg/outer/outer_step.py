"""The outer step: how far the meta-iterate moves along what an outer rule computed."""

from __future__ import annotations

import numpy as np

from kavg.base import Floats


def move_along(w: Floats, x: Floats, alpha: float | Floats, workspace: Floats) -> None:
    """Move ``w (R, d)`` by the outer step ``alpha`` along ``x``: ``w = w + alpha x``, in place.

    ``workspace (R, d)`` is overwritten, and may be ``x`` itself; with ``alpha = 1`` it is left.
    ``alpha`` is an array where the rules of several runs are stacked.

    >>> w = np.array([[1.0]])
    >>> move_along(w, np.array([[4.0]]), 0.5, np.empty((1, 1)))
    >>> w
    array([[3.]])
    """
    # 1 x has the bits of x: a product less in what most runs do.
    if isinstance(alpha, float) and alpha == 1.0:
        np.add(w, x, out=w)
        return
    np.multiply(x, alpha, out=workspace)
    np.add(w, workspace, out=w)
