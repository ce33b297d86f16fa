"""Confidence intervals of means of recorded quantities, each within the range of its quantity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate, clip_interval, mean_interval
from kavg.analysis.proportion import mean_share_interval

SHARE: Final = (0.0, 1.0)
"""The range of an accuracy."""
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "grad_norm2": (0.0, inf),
    "dispersion": (0.0, inf),
    "displacement_norm2": (0.0, inf),
    "lag_correlation": (-1.0, 1.0),
    "consensus2": (0.0, inf),
    "distance2": (0.0, inf),
    "train_accuracy": SHARE,
    "held_out_accuracy": SHARE,
}
"""The values that recorded quantities can have; those of others are unbounded."""
NOT_NEGATIVE: Final = re.compile(r"grad_norm2_.+|spread(_\d+)?|hessian_trace")
"""Series of averaged iterates and of directions, and of objectives, that are never below 0."""


def find_range(quantity: str) -> tuple[float, float]:
    """Return the least and the largest value that a recorded quantity can have.

    >>> find_range("spread_3"), find_range("F")
    ((0.0, inf), (-inf, inf))
    """
    unbounded = (0.0, inf) if NOT_NEGATIVE.fullmatch(quantity) else (-inf, inf)
    return RANGES.get(quantity, unbounded)


def quantity_interval(quantity: str, samples: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the confidence interval of the mean of a recorded quantity: ``(..., R) -> (...)``.

    An accuracy has ``mean_share_interval``, any other quantity ``mean_interval``, cut to its range:
    no squared norm is below 0.  The mean lies in that range, so the interval covers it no less
    often.  Replicas that all agree have no width, those at 1 too, which ``mean_share_interval``
    counts as R trials: a curve would have a wide band where it arrives at 1.

    >>> quantity_interval("grad_norm2", [0.1, 0.9, 0.1]).low
    array(0.)
    >>> found = quantity_interval("train_accuracy", [1.0, 0.99, 1.0, 1.0])
    >>> print(f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]")
    0.9975 [0.9710, 1.0000]
    """
    x, limits = np.asarray(samples, np.float64), find_range(quantity)
    estimate = clip_interval(mean_interval(x, level), *limits)
    if limits != SHARE:
        return estimate
    # A row with a number that is no share shows that the range is wrong, as for other quantities.
    with np.errstate(invalid="ignore"):
        varies = np.ptp(x, axis=-1) > 0
    is_share = np.asarray(((x >= 0) & (x <= 1)).all(axis=-1) & varies)
    found = mean_share_interval(np.where(is_share[..., None], x, 0.5), level)
    low, high = (
        np.where(is_share, share, plain)
        for share, plain in ((found.low, estimate.low), (found.high, estimate.high))
    )
    return replace(estimate, low=low, high=high)
