"""Words for the parts of a comparison that its text and its LaTeX table share."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from kavg.analysis.estimate import Estimate
from kavg.analysis.methods.comparison import GroupComparison
from kavg.analysis.methods.method import TuningCost
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import TargetTime
from kavg.reports.labels import format_estimate
from kavg.targets import Target
from kavg.text import escape_unprintable, format_count


def describe_settings(settings: Mapping[str, object]) -> str:
    """Return settings in one line, numbers to six digits.

    >>> describe_settings({"P": 16, "gamma": 0.1 + 0.2})
    'P = 16, gamma = 0.3'
    """
    return ", ".join(f"{name} = {show_setting(value)}" for name, value in settings.items())


def show_setting(value: object) -> str:
    """Return the value of a setting as text that can be printed."""
    return f"{value:.6g}" if isinstance(value, float) else escape_unprintable(str(value))


def describe_amount(comparison: GroupComparison) -> str:
    """Return the budget of a group, such as ``51200 gradients``."""
    budget = comparison.budget
    units = {"time": "units of time"}.get(budget.axis, budget.axis)
    return f"{budget.amount:.12g} {units}"


def describe_reading(reading: Reading) -> str:
    """Return the mean with its interval, or that the run diverged."""
    if reading.diverged_at is not None:
        return f"diverged at round {reading.diverged_at}"
    return format_estimate(reading.estimate)


def describe_time(time: TargetTime | None) -> str:
    """Return a time to target with its interval, or until when it was not reached.

    Runs that diverged have none.
    """
    if time is None:
        return "diverged"
    reached = int(time.reached.sum())
    share = "" if reached == len(time.reached) else f" ({reached} of {len(time.reached)} replicas)"
    return f"{format_time(time.estimate, time.censored_at)}{share}"


def format_time(estimate: Estimate, censored_at: float) -> str:
    """Return a time with its interval, or until when it was not reached.

    >>> import numpy as np
    >>> format_time(Estimate(*map(np.asarray, (8.0, 7.25, np.inf)), 0.95, 8), 9.0)
    '8 [7.25, inf]'
    """
    if float(estimate.mean) == inf:
        return f"not within {censored_at:.12g}"
    return format_estimate(estimate)


def describe_rule(target: Target) -> str:
    """Return in words how the time of a target is read."""
    return {
        "isotonic": "isotonic regression",
        "stays": "first record from which it stays there",
        "first": "first record, which noise and overshoot pass early",
    }[target.rule]


def describe_tuning(tuning: TuningCost) -> str:
    """Return what the choice of a method's settings took.

    >>> describe_tuning(TuningCost(27, 1_728_000))
    'chosen of 27 trials, 1.728e+06 gradients'
    """
    trials = format_count(tuning.trials, "trial")
    return f"chosen of {trials}, {tuning.gradients:.4g} gradients"
