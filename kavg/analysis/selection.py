"""Choosing the best of several trials by one seed, and judging it on another.

The best of many noisy trials looks better than it is, the more so the more trials there are and the
more alike they are.  A method with a finer grid then wins by its grid.  Fresh noise for the trial
that was chosen removes the bias and costs one more trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from kavg.analysis.estimate import Estimate, mean_interval
from kavg.base import Floats
from kavg.errors import KavgError


@final
@dataclass(frozen=True, eq=False)
class Selection:
    """The trial that was chosen, with its mean on the noise that chose it and on fresh noise.

    ``judged`` is unbiased, and its interval has its level whatever was chosen; ``apparent`` is of
    the replicas by which the trial was chosen, and too low on average.  ``trials`` is how many
    there were, those that diverged included.
    """

    trial: int
    trials: int
    apparent: Estimate
    judged: Estimate


def select_trial(scores: ArrayLike) -> int:
    """Return the index of the smallest of ``scores (m,)``, the first of several equal ones.

    A score that is not finite is that of a trial that diverged or did not arrive.

    Raises:
        KavgError: if no score is finite.

    >>> select_trial([3.0, np.nan, 1.0, 1.0, -np.inf])
    2
    """
    given = np.asarray(scores, np.float64)
    if given.ndim != 1 or not np.isfinite(given).any():
        raise KavgError(
            f"one trial at least must have a finite score, got {given.tolist()!r:.60}; "
            "widen the grid, or give more rounds"
        )
    # -inf is no best score: it is what an overflow left.
    return int(np.argmin(np.where(np.isfinite(given), given, np.inf)))


def judge_selection(choosing: ArrayLike, judging: ArrayLike, level: float = 0.95) -> Selection:
    """Choose the trial of the least mean of ``choosing (m, R)``, judge it by ``judging (m, S)``.

    The two must have different noise.  Only the row of the chosen trial is read of ``judging``, so
    the others need not be run: NaN does for them.

    Raises:
        KavgError: if the numbers of trials differ, or no trial has a finite mean.

    >>> found = judge_selection([[2.0, 3.0], [1.0, 2.0]], [[np.nan, np.nan], [1.5, 2.5]])
    >>> found.trial, found.apparent.mean, found.judged.mean
    (1, array(1.5), array(2.))
    """
    first, second = _validate_trials(choosing), _validate_trials(judging)
    if len(first) != len(second):
        raise KavgError(
            f"the same trials must be chosen from and judged, got {len(first)} and {len(second)}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        trial = select_trial(first.mean(axis=1))
    apparent, judged = (mean_interval(each[trial], level) for each in (first, second))
    return Selection(trial, len(first), apparent, judged)


def _validate_trials(samples: ArrayLike) -> Floats:
    rows = np.asarray(samples, np.float64)
    if rows.ndim != 2 or not rows.size:
        raise KavgError(f"trials need samples (m, R), one row each, got shape {rows.shape}")
    return rows
