"""Confidence intervals of proportions and of mean shares, which stay within [0, 1]."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate
from kavg.analysis.student import t_quantile
from kavg.errors import KavgError
from kavg.ranges import Confidence, check_count, check_range


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
    low, high = map(np.asarray, _beta_limits(successes, trials, level))
    return Estimate(np.asarray(successes / trials), low, high, level, trials)


def mean_share_interval(shares: ArrayLike, level: float = 0.95) -> Estimate:
    """Return the mean of shares, such as accuracies of ``(R,)`` replicas, with its interval.

    The examples behind a share have the noise of their replica in common, so they are no
    independent trials.  As many independent trials as have the variance of the mean,
    ``n = m (1 - m) / (s^2/R)``, take their place in Clopper and Pearson's interval, fewer by
    ``(z/t)^2`` since s is estimated (Korn and Graubard 1998, Surv. Methodol. 24:193).  R trials if
    all shares are 0 or all 1, where ``mean_interval`` has no width at all.

    Raises:
        KavgError: if ``shares`` is not a row of numbers from 0 to 1.

    >>> found = mean_share_interval([1.0, 0.9, 1.0, 1.0])
    >>> found.mean, found.low < 0.9, found.high <= 1
    (array(0.975), np.True_, np.True_)
    """
    x = np.asarray(shares, np.float64)
    if x.ndim != 1 or not x.size or not ((x >= 0) & (x <= 1)).all():
        raise KavgError(f"shares must be a row of numbers from 0 to 1, got {x!r:.60}")
    level, R, mean = check_range(Confidence, "level", level), len(x), float(x.mean())
    if R == 1:
        low, high = nan, nan
    elif 0 < mean < 1:
        low, high = _share_limits(mean, float(x.std(ddof=1)) / sqrt(R), R, level)
    else:
        low, high = _beta_limits(mean * R, R, level)
    return Estimate(np.asarray(mean), np.asarray(low), np.asarray(high), level, R)


def _share_limits(mean: float, error: float, R: int, level: float) -> tuple[float, float]:
    if error == 0:
        return mean, mean
    from scipy.special import ndtri

    few = (float(ndtri(0.5 + level / 2)) / t_quantile(R, level)) ** 2
    trials = few * mean * (1 - mean) / error**2
    return _beta_limits(mean * trials, trials, level)


def _beta_limits(successes: float, trials: float, level: float) -> tuple[float, float]:
    # Binomial tails are incomplete beta functions, also for numbers that are not whole.
    from scipy.special import betaincinv

    tail, failures = (1 - level) / 2, trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures > 0 else 1.0
    return low, high
