"""The time at which a noisy curve reaches a value from above, by one of three rules.

"The first round below" is fooled by a curve that swings through the target and back, and by noise:
of many rounds near the target one is below it by chance.  A mean that converges decreases, so the
default rule takes the decreasing curve that is nearest in least squares.
"""

from __future__ import annotations

from typing import Final, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kavg.base import Floats
from kavg.errors import KavgError
from kavg.targets import TargetRule

_STAY_RECORDS: Final = 5
"""Records for which a curve must at least stay below its target, by the rule "stays"."""


def fit_decreasing(curve: Floats) -> Floats:
    """Return the decreasing curve nearest to ``curve (T,)`` in least squares, ``(T,)``.

    This is antitonic regression: neighbours that increase are replaced by their mean until none
    does (Barlow, Bartholomew, Bremner and Brunk 1972, "Statistical inference under order
    restrictions").  Values that are not finite count as large.

    >>> fit_decreasing(np.array([4.0, 1.0, 3.0, 2.0, 0.0]))
    array([4., 2., 2., 2., 0.])
    """
    from scipy.optimize import isotonic_regression

    _, heights = _validate_curve(np.arange(len(curve)), curve)
    return np.asarray(isotonic_regression(heights, increasing=False).x, np.float64)


def pool_rounds(samples: Floats) -> Floats:
    """Return ``samples (T, R)`` with the rounds pooled that ``fit_decreasing`` of their mean pools.

    Every replica has its mean over the rounds of a block there, so the mean over replicas is the
    fit, and its standard error is that of the block's mean, whatever rounds have in common.

    >>> pool_rounds(np.array([[8.0, 6.0], [1.0, 3.0], [4.0, 4.0]]))
    array([[8. , 6. ], [2.5, 3.5], [2.5, 3.5]])
    """
    from scipy.optimize import isotonic_regression

    with np.errstate(over="ignore", invalid="ignore"):
        _, mean = _validate_curve(np.arange(len(samples)), samples.mean(axis=1))
    edges = isotonic_regression(mean, increasing=False).blocks
    lengths = np.diff(edges)
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.add.reduceat(samples, edges[:-1], axis=0) / lengths[:, None]
    return np.asarray(np.repeat(means, lengths, axis=0))


def find_time(
    axis: ArrayLike, curve: ArrayLike, value: float, rule: TargetRule = "isotonic"
) -> float:
    """Return the place on ``axis (T,)`` where ``curve (T,)`` reaches ``value`` from above.

    - ``isotonic``: where ``fit_decreasing(curve)`` crosses ``value``, interpolated linearly between
      two records;
    - ``stays``: the first record x at which, and at all records up to ``3 x / 2`` and the next 5 at
      least, the curve is at most ``value``;
    - ``first``: the first record at which the curve is at most ``value``.

    Infinite where the curve does not reach it, by ``stays`` also where the records end too early to
    say.  Values that are not finite count as above.

    Raises:
        KavgError: if the shapes disagree, the axis does not increase or the rule is unknown.

    >>> swing, rounds = [8.0, 0.5, 6.0, 4.0, 2.0, 0.0], np.arange(6)
    >>> find_time(rounds, swing, 1.0, "first"), find_time(rounds, swing, 1.0)
    (1.0, 4.5)
    """
    if rule not in get_args(TargetRule):
        raise KavgError(f"rule must be one of {', '.join(get_args(TargetRule))}, got {rule!r}")
    places, heights = _validate_curve(axis, curve)
    if rule == "isotonic":
        return _interpolate(places, fit_decreasing(heights), value)
    below = heights <= value
    if rule == "stays":
        below = _stays_below(places, below)
    return float(places[np.argmax(below)]) if below.any() else np.inf


def _validate_curve(axis: ArrayLike, curve: ArrayLike) -> tuple[Floats, Floats]:
    places, heights = np.asarray(axis, np.float64), np.asarray(curve, np.float64)
    if places.ndim != 1 or not places.size or places.shape != heights.shape:
        raise KavgError(
            "a curve needs one value for each place of its axis, got shapes "
            f"{places.shape} and {heights.shape}"
        )
    if not (np.isfinite(places).all() and (np.diff(places) > 0).all()):
        raise KavgError("the axis of a curve must increase; give each recorded round once")
    # A regression adds up to T values, so the largest number stands for what is not finite.
    large = float(np.finfo(np.float64).max) / (4 * places.size)
    return places, np.clip(np.nan_to_num(heights, nan=large), -large, large)


def _interpolate(places: Floats, fit: Floats, value: float) -> float:
    below = fit <= value
    if not below.any():
        return np.inf
    i = int(np.argmax(below))
    if i == 0:
        return float(places[0])
    # In the value, not its logarithm, as accuracies and F may be 0 or negative.
    share = (fit[i - 1] - value) / (fit[i - 1] - fit[i])
    return float(places[i - 1] + share * (places[i] - places[i - 1]))


def last_seen(axis: ArrayLike, rule: TargetRule = "isotonic") -> float:
    """Return the place on ``axis (T,)`` up to which a time is seen: a later one is not.

    By the rule ``stays`` a time needs the records after it, so it is seen only up to two thirds of
    the records, and the first place stands for none.

    >>> last_seen(np.arange(61)), last_seen(np.arange(61), "stays")
    (60.0, 40.0)
    """
    places = np.asarray(axis, np.float64)
    if rule != "stays":
        return float(places[-1])
    _, is_seen = _find_stays(places)
    return float(places[is_seen][-1] if is_seen.any() else places[0])


def _find_stays(places: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool]]:
    """The record up to which a curve must stay, for each record, and whether it is there."""
    T = len(places)
    last = np.searchsorted(places, 1.5 * places, side="right") - 1
    needed = np.maximum(last, np.arange(T) + _STAY_RECORDS)
    return needed, (needed < T) & (1.5 * places <= places[-1])


def _stays_below(places: Floats, below: NDArray[np.bool]) -> NDArray[np.bool]:
    T = len(places)
    # For each record the first one, itself included, that is above the target.
    following = np.minimum.accumulate(np.where(below, T, np.arange(T))[::-1])[::-1]
    needed, is_seen = _find_stays(places)
    return np.asarray(is_seen & (following > needed))
