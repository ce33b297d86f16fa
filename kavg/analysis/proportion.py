"""Confidence intervals of proportions and of mean shares, which stay within [0, 1]."""

from __future__ import annotations

from math import nan, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate
from kavg.analysis.student import t_quantile
from kavg.base import Floats
from kavg.errors import KavgError
from kavg.ranges import Confidence, check_count, check_range

NORMAL: Final = 1e7
"""Hits and misses from which their numbers are normal, to four digits of an arm."""


def proportion_interval(successes: int, trials: int, level: float = 0.95) -> Estimate:
    """Return the share of successes with its exact interval (Clopper and Pearson 1934).

    The ends are the probabilities at which so many successes, or so few, have probability
    ``(1 - level)/2`` (Biometrika 26:404).  It covers at every probability with at least ``level``,
    where Wilson's shorter interval does so on average only.

    Raises:
        KavgError: unless ``0 <= successes <= trials`` and ``trials >= 1``.

    >>> found = proportion_interval(8, 8)
    >>> found.mean, found.low.round(4), found.high
    (array(1.), np.float64(0.6306), array(1.))
    """
    trials = check_count("trials", trials, "a proportion needs one trial or more")
    successes = check_range(int, "successes", successes)
    if not 0 <= successes <= trials:
        raise KavgError(f"successes must be from 0 to {trials}, got successes={successes}")
    level = check_range(Confidence, "level", level)
    low, high = _beta_limits(successes, trials, level)
    return Estimate(np.asarray(successes / trials), low, high, level, trials)


def mean_share_interval(shares: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the mean of shares, such as accuracies, with its interval: ``(..., R) -> (...)``.

    The examples behind a share have the noise of their replica in common, so they are no
    independent trials.  As many independent trials as have the variance of the mean,
    ``n = m (1 - m) / (s^2/R)``, take their place in Clopper and Pearson's interval, fewer by
    ``(z/t)^2`` since s is estimated (Korn and Graubard 1998, Surv. Methodol. 24:193).  R trials if
    all shares are 0 or all 1, where ``mean_interval`` has no width at all: how many examples there
    are is not known here, and R shares of 1 say no more than R trials do.

    Raises:
        KavgError: if ``shares`` has no replica, or a number that is not from 0 to 1.

    >>> found = mean_share_interval([1.0, 0.9, 1.0, 1.0])
    >>> found.mean, found.low < 0.9, found.high <= 1
    (array(0.975), np.True_, np.True_)
    """
    x = np.asarray(shares, np.float64)
    if not x.ndim or not x.shape[-1] or not ((x >= 0) & (x <= 1)).all():
        raise KavgError(f"shares must be numbers from 0 to 1, (..., R), got {x!r:.60}")
    level, R, mean = check_range(Confidence, "level", level), x.shape[-1], x.mean(axis=-1)
    if R == 1:
        low, high = np.full((2, *mean.shape), nan)
    else:
        # A constant row must have a variance of 0 and not of rounding.
        spread = np.where(np.ptp(x, axis=-1) > 0, x.std(axis=-1, ddof=1), 0.0)
        low, high = _share_limits(mean, spread / sqrt(R), R, level)
    return Estimate(np.asarray(mean), low, high, level, R)


def _share_limits(mean: Floats, error: Floats, R: int, level: float) -> tuple[Floats, Floats]:
    from scipy.special import ndtri

    t = t_quantile(R, level)
    few = (float(ndtri(0.5 + level / 2)) / t) ** 2
    varies = (mean > 0) & (mean < 1) & (error > 0)
    unit = np.where(varies, error, 1.0)
    # Divided one after the other, as the square of a small error would underflow.
    trials = np.where(varies, few * (mean / unit) * ((1 - mean) / unit), float(R))
    low, high = _beta_limits(mean * trials, trials, level)
    # Of so many hits and misses the interval is Student's, and SciPy's function loses its digits.
    is_normal = np.minimum(mean, 1 - mean) * trials > NORMAL
    is_plain = is_normal | (~varies & (mean > 0) & (mean < 1))
    half = np.where(varies, t * error, 0.0)
    return np.where(is_plain, mean - half, low), np.where(is_plain, mean + half, high)


def _beta_limits(successes: ArrayLike, trials: ArrayLike, level: float) -> tuple[Floats, Floats]:
    # Binomial tails are incomplete beta functions, also for numbers that are not whole.
    from scipy.special import betaincinv

    tail, hits = (1 - level) / 2, np.asarray(successes, np.float64)
    misses = np.asarray(trials, np.float64) - hits
    # Where one of the two is 0 that end is known, and the function has no value.
    inner, outer = (np.where(each > 0, each, 1.0) for each in (hits, misses))
    low = np.where(hits > 0, betaincinv(inner, misses + 1, tail), 0.0)
    high = np.where(misses > 0, betaincinv(hits + 1, outer, 1 - tail), 1.0)
    return low, high
