"""Moving means of the displacement and of its square, for the adaptive outer rules."""

from __future__ import annotations

import numpy as np

from kavg.base import Floats


def update_mean(mean: Floats, x: Floats, beta: float) -> None:
    """Update a moving mean in place: ``mean = beta mean + (1 - beta) x``.

    >>> mean = np.array([4.0])
    >>> update_mean(mean, np.array([2.0]), beta=0.75)
    >>> mean
    array([3.5])
    """
    # As beta (mean - x) + x, which needs no workspace, and leaves a mean of squares at least 0.
    np.subtract(mean, x, out=mean)
    np.multiply(mean, beta, out=mean)
    np.add(mean, x, out=mean)


def move_by_ratio(
    w: Floats, m: Floats, s: Floats, alpha: float, tau: float, workspace: Floats
) -> None:
    """Move ``w`` by the adaptive step: ``w = w + alpha m/(sqrt(s) + tau)``, in place.

    >>> w, m, s = np.array([1.0]), np.array([3.0]), np.array([4.0])
    >>> move_by_ratio(w, m, s, alpha=2.0, tau=1.0, workspace=np.empty(1))
    >>> w
    array([3.])
    """
    np.sqrt(s, out=workspace)
    np.add(workspace, tau, out=workspace)
    np.divide(m, workspace, out=workspace)
    np.multiply(workspace, alpha, out=workspace)
    np.add(w, workspace, out=w)
