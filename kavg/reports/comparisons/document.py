"""A comparison as a JSON document with all of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from kavg.analysis.estimate import Estimate
from kavg.analysis.methods.arrivals import Arrivals, summarize_arrivals
from kavg.analysis.methods.comparison import ComparisonPlan, GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import TargetTime
from kavg.reports.json_values import json_estimate, json_number
from kavg.version import __version__

FORMAT: Final = 1
"""The number of the document's structure, raised by changes that a reader would notice."""


def comparison_json(
    comparisons: Sequence[GroupComparison], plan: ComparisonPlan, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return a comparison ready for ``json.dumps(..., allow_nan=False)``; docs/comparing.md has it.

    Numbers that are not finite are null: an interval that does not exist, a time not reached.
    """
    target = None if plan.target is None else {**asdict(plan.target), "text": str(plan.target)}
    return {
        "format": FORMAT,
        "kavg": __version__,
        "quantity": plan.quantity,
        "axis": plan.axis,
        "clock": asdict(plan.clock),
        "level": plan.level,
        "target": target,
        "groups": [_describe_group(each, plan) for each in comparisons],
        "warnings": list(warnings),
    }


def _describe_group(comparison: GroupComparison, plan: ComparisonPlan) -> dict[str, Any]:
    arrivals = summarize_arrivals(comparison.readings) or [None] * len(comparison.readings)
    return {
        "cell": dict(comparison.group.cell),
        "budget": {
            "axis": comparison.budget.axis,
            "amount": comparison.budget.amount,
            "is_largest_common": plan.amount is None,
        },
        "target_value": comparison.target_value,
        "baseline": comparison.baseline.method.label,
        "methods": list(map(_describe_reading, comparison.readings, arrivals)),
        "contrast_level": comparison.level,
        "contrasts": [_describe_contrast(each) for each in comparison.contrasts],
    }


def _describe_reading(reading: Reading, arrivals: Arrivals | None) -> dict[str, Any]:
    method, run = reading.method, reading.method.run
    return {
        "label": method.label,
        "algorithm": run.name,
        "P": run.P,
        "K": run.K,
        "B": run.B,
        "settings": dict(method.settings),
        "effective_step": method.effective_step,
        "tuning": None if method.tuning is None else asdict(method.tuning),
        "replicas": len(reading.samples),
        "round": reading.round,
        "used": reading.used,
        "diverged_at": reading.diverged_at,
        **_describe_estimate(None if reading.diverged_at is not None else reading.estimate),
        "time": None if reading.time is None else _describe_time(reading.time),
        "arrivals": None if arrivals is None else _describe_arrivals(arrivals),
    }


def _describe_time(time: TargetTime) -> dict[str, Any]:
    return {
        **json_estimate(time.estimate),
        "reached": int(time.reached.sum()),
        "censored_at": json_number(time.censored_at),
    }


def _describe_arrivals(arrivals: Arrivals) -> dict[str, Any]:
    return {
        "median": json_estimate(arrivals.median),
        "mean": {**json_estimate(arrivals.mean), "until": json_number(arrivals.until)},
    }


def _describe_contrast(contrast: Contrast) -> dict[str, Any]:
    return {
        "method": contrast.reading.method.label,
        "paired": contrast.is_paired,
        "unshared": list(contrast.unshared),
        "replicas": list(contrast.replicas),
        "difference": _json_or_null(contrast.difference),
        "side": contrast.side.value,
        "ratio": _json_or_null(contrast.ratio),
        "speed_up": _json_or_null(contrast.speed_up),
        "speed_up_paired": None if contrast.speed_up is None else contrast.is_time_paired,
    }


def _describe_estimate(estimate: Estimate | None) -> dict[str, float | None]:
    return (
        {"mean": None, "low": None, "high": None} if estimate is None else json_estimate(estimate)
    )


def _json_or_null(estimate: Estimate | None) -> dict[str, float | None] | None:
    return None if estimate is None else json_estimate(estimate)
