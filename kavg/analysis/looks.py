"""Adding replicas until an interval is narrow or decided, at one level over all looks.

Whoever looks at the data after every batch of replicas, and stops when the result pleases, has more
chances to be wrong than one.  Here the looks are planned before the first: each spends a part of
the error probability, and the parts add up to the whole, whatever the looks have in common (a
group-sequential plan with Bonferroni's bound, valid for any number of replicas).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from kavg.analysis.estimate import Estimate
from kavg.errors import KavgError
from kavg.ranges import Confidence, check_count, check_positive, check_range


@final
@dataclass(frozen=True)
class Look:
    """A look: after how many ``replicas``, and the ``level`` of its intervals."""

    number: int
    replicas: int
    level: float


@final
@dataclass(frozen=True, eq=False)
class StoppedEstimate:
    """The estimate of the ``look`` that ended the run; ``met`` says if its aim was reached there.

    ``estimate.level`` is that of the look; the interval covers with ``level``, the one asked for,
    whichever look it was.
    """

    estimate: Estimate
    look: Look
    level: float
    met: bool


def plan_looks(replicas: int, budget: int, level: float = 0.95) -> tuple[Look, ...]:
    """Return looks at ``replicas``, twice as many, and so on up to ``budget``, with their levels.

    Of m looks the last spends half of the error probability ``1 - level`` or more, each
    one before it half as much as the one after it, and together they spend all of it: little is
    lost at the last look, which has the most replicas.  One look alone has the whole level.

    Raises:
        KavgError: if ``replicas`` is below 2 or above ``budget``, or the level not inside (0, 1).

    >>> [(look.replicas, round(look.level, 4)) for look in plan_looks(16, 100)]
    [(16, 0.9967), (32, 0.9933), (64, 0.9867), (100, 0.9733)]
    """
    replicas = check_count("replicas", replicas, "they are those of the first look")
    budget = check_count("budget", budget, "it is the largest number of replicas")
    level = check_range(Confidence, "level", level)
    if not 2 <= replicas <= budget:
        raise KavgError(
            f"the first look needs from 2 replicas on, up to the budget of {budget}, "
            f"got replicas={replicas}"
        )
    counts = [replicas]
    while counts[-1] < budget:
        counts.append(min(2 * counts[-1], budget))
    # 1 + 2 + 4 + ... of m looks.
    whole = 2 ** len(counts) - 1
    return tuple(Look(k + 1, R, 1 - (1 - level) * 2**k / whole) for k, R in enumerate(counts))


def estimate_until(
    look: Callable[[int, float], Estimate],
    is_enough: Callable[[Estimate], bool],
    looks: Sequence[Look],
) -> StoppedEstimate:
    """Take the looks one after another until ``is_enough(estimate)``, or to the last.

    ``look(R, level)`` returns the interval of the first R replicas at that level.  At each look the
    interval misses with the probability that the look spends, so the interval of whichever look
    ends it misses with probability ``1 - level`` at most.

    Raises:
        KavgError: if there is no look.

    >>> from kavg.analysis.estimate import mean_interval
    >>> x = 1 + 0.1 * np.sin(np.arange(100.0))
    >>> found = estimate_until(
    ...     lambda R, level: mean_interval(x[:R], level),
    ...     lambda estimate: is_narrow(estimate, 0.1),
    ...     plan_looks(8, 64),
    ... )
    >>> found.look.replicas, found.met, round(found.level, 12)
    (32, True, 0.95)
    """
    if not looks:
        raise KavgError("give one look or more; plan_looks returns them")
    level = 1 - sum(1 - each.level for each in looks)
    for each in looks:
        estimate = look(each.replicas, each.level)
        met = is_enough(estimate)
        if met:
            break
    return StoppedEstimate(estimate, each, level, met)


def is_narrow(estimate: Estimate, width: float) -> bool:
    """True if every interval is at most ``width`` times its mean from end to end.

    Raises:
        KavgError: if ``width`` is not above 0.

    >>> is_narrow(Estimate(np.asarray(2.0), np.asarray(1.95), np.asarray(2.05), 0.95, 8), 0.05)
    True
    """
    width = check_positive("width", width)
    with np.errstate(invalid="ignore"):
        gap = estimate.high - estimate.low
        # An interval without an end is never narrow, even relative to an infinite mean.
        return bool((np.isfinite(gap) & (gap <= width * np.abs(estimate.mean))).all())


def is_decided(estimate: Estimate, value: float) -> bool:
    """True if no interval contains ``value``: 0 for differences, 1 for ratios.

    >>> is_decided(Estimate(np.asarray(2.0), np.asarray(1.1), np.asarray(3.0), 0.95, 8), 1.0)
    True
    """
    return bool(((estimate.low > value) | (estimate.high < value)).all())
