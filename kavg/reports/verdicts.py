"""Verdicts of theorems: a table of at most 100 columns, and the same as values for JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue, Condition
from kavg.analysis.estimate import Estimate
from kavg.analysis.verdict import Outcome, Verdict
from kavg.reports.json_values import json_estimate, json_number
from kavg.reports.labels import format_estimate
from kavg.reports.text import align_columns, wrap_text
from kavg.text import escape_unprintable, format_count

WIDTH: Final = 100
QUANTITIES: Final = {
    "mean_grad_norm2": "mean of ||grad F(w_n)||^2 over the rounds",
    "final_gap": "F(w_{N+1}) - f_star",
    "mean_grad_norm2_local": "mean of ||grad F||^2 over all local steps",
}


def verdict_table(verdicts: Sequence[Verdict], *, level: float, looks: int = 1) -> str:
    """Return verdicts as plain text: a section for each algorithm, a row for each bound.

    A row has the outcome and, where the bound applies, measured over bound and the bound's
    parts.  Bounds of one quantity share its measured mean, which opens the section.  A reason that
    several rows share is printed once: one why bounds do not apply below the sections, with their
    number and names, others as notes.  ``looks`` is how often the runs were looked at, 1 unless
    replicas were added.
    """
    lines = wrap_text(_heading(level, looks), WIDTH)
    excluded = _shared_exclusions(verdicts)
    # Verdicts come algorithm by algorithm, as groupby needs them.
    sections = [(name, list(group)) for name, group in groupby(verdicts, lambda v: v.algorithm)]
    apart = {id(verdict) for group in excluded.values() for verdict in group}
    rows = [[v for v in group if id(v) not in apart] for _, group in sections]
    width = max((len(v.bound.name) for v in verdicts), default=0)
    notes = _shared_reasons([v for section in rows for v in section])
    for (name, group), section in zip(sections, rows, strict=True):
        lines += ["", *wrap_text(escape_unprintable(name), WIDTH), *_measured_lines(group)]
        cells = _cells(section, notes, width)
        lines += align_columns(cells, WIDTH) if section else ["  no bound applies"]
    if notes:
        lines += ["", *align_columns([(f"{n}:", why) for why, n in notes.items()], WIDTH, indent=0)]
    for reason, group in excluded.items():
        lines += ["", *_exclusion_lines(reason, group, verdicts)]
    return "\n".join([*lines, "", count_outcomes(verdicts)])


def count_outcomes(verdicts: Sequence[Verdict]) -> str:
    """Return the number of verdicts of each outcome, in words.

    >>> count_outcomes([])
    'no verdict'
    """
    counts = {one: sum(v.outcome is one for v in verdicts) for one in Outcome}
    parts = (f"{count} {outcome.label}" for outcome, count in counts.items() if count)
    return ", ".join(parts) or "no verdict"


def _heading(level: float, looks: int) -> str:
    over = "" if looks == 1 else f", over {looks} looks"
    return (
        f"Verdicts hold jointly at level {100 * level:g} % (Holm){over}. Where a bound applies: "
        f"measured/bound [{100 * (1 - level):g} % confidence interval, not adjusted], then the "
        "bound as start + noise + drift."
    )


def _shared_exclusions(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """The verdicts without numbers that share their reason with others, by reason."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.NOT_APPLICABLE and verdict.reason:
            groups.setdefault(verdict.reason, []).append(verdict)
    return {reason: group for reason, group in groups.items() if len(group) > 1}


def _exclusion_lines(
    reason: str, group: Sequence[Verdict], verdicts: Sequence[Verdict]
) -> Iterator[str]:
    """A reason why bounds do not apply, with how many and which, for which algorithms."""
    count = f"{Outcome.NOT_APPLICABLE.label}, {format_count(len(group), 'verdict')}"
    yield from wrap_text(f"{count}: {reason}", WIDTH, hanging=2)
    algorithms: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(v.algorithm for v in group):
        bounds = tuple(v.bound.name for v in group if v.algorithm == name)
        algorithms.setdefault(bounds, []).append(escape_unprintable(name))
    every = len(dict.fromkeys(v.bound.name for v in verdicts))
    for bounds, names in algorithms.items():
        which = f"all {every} bounds" if len(bounds) == every > 1 else ", ".join(bounds)
        yield from wrap_text(f"{which}: {', '.join(names)}", WIDTH, indent=2, hanging=2)


def _shared_reasons(verdicts: Sequence[Verdict]) -> dict[str, str]:
    # A note for each reason that two or more rows have in common.
    counts = Counter(v.reason for v in verdicts if v.reason)
    shared = [reason for reason, count in counts.items() if count > 1]
    return {reason: f"note {place}" for place, reason in enumerate(shared, start=1)}


def _measured_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    means = {v.bound.quantity: v.measured for v in verdicts if v.measured is not None}
    for quantity, measured in means.items():
        yield f"  {QUANTITIES[quantity]}: {format_estimate(measured)}"


def _cells(
    verdicts: Sequence[Verdict], notes: Mapping[str, str], name_width: int
) -> Iterator[tuple[str, str, str]]:
    outcome_width = max(len(outcome.label) for outcome in Outcome)
    # Padded, so that the columns of all sections are aligned.
    for v in verdicts:
        reason = f"see {notes[v.reason]}" if v.reason and v.reason in notes else v.reason
        words = "; ".join(filter(None, (_format_numbers(v), _format_estimated(v), reason)))
        yield f"{v.bound.name:{name_width}}", f"{v.outcome.label:{outcome_width}}", words


def _format_numbers(v: Verdict) -> str:
    if v.ratio is None or v.value is None:
        return ""
    return f"{format_ratio(v.ratio)} of {format_parts(v.value)}"


def _format_estimated(v: Verdict) -> str:
    return f"with estimated {', '.join(v.estimated)}" if v.estimated else ""


def format_ratio(ratio: Estimate) -> str:
    """Format measured over bound in three decimals (or digits), with its interval if any.

    >>> from kavg.analysis.fieller import ratio_interval
    >>> format_ratio(ratio_interval([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]))
    '0.500 [-0.121, 1.121]'
    """
    mean, low, high = float(ratio.mean), float(ratio.low), float(ratio.high)
    if not math.isfinite(mean):
        return "infinite"
    # The interval has the mean's format: its ends would differ in digits otherwise.
    style = ".3f" if 0.01 <= mean < 100 else ".3g"
    interval = f" [{low:{style}}, {high:{style}}]" if math.isfinite(low) else ""
    return f"{mean:{style}}{interval}"


def format_parts(parts: BoundValue) -> str:
    """Format a bound as the sum of its parts: optimization (from the start), noise and drift.

    >>> format_parts(BoundValue(1.0, 0.25, 0.0))
    '1.25 = 1 + 0.25 + 0'
    """
    start, noise, drift = parts.optimization, parts.noise, parts.drift
    return f"{parts.total:.3g} = {start:.3g} + {noise:.3g} + {drift:.3g}"


def verdicts_json(
    verdicts: Sequence[Verdict], *, level: float, rounds: int, replicas: int, looks: int = 1
) -> dict[str, Any]:
    """Return all numbers of the table, ready for ``json.dumps(..., allow_nan=False)``.

    ``looks`` is how often the runs were looked at, 1 unless replicas were added.  Numbers that are
    not finite are null.
    """
    return {
        "level": level,
        "kept_over": "all verdicts together (Holm)",
        "rounds": rounds,
        "replicas": replicas,
        "looks": looks,
        "outcomes": {one.label: one.value for one in Outcome},
        "verdicts": [_json_verdict(one) for one in verdicts],
    }


def _json_verdict(v: Verdict) -> dict[str, Any]:
    return {
        "algorithm": v.algorithm,
        **_json_bound(v.bound),
        "outcome": v.outcome.label,
        "reason": v.reason or "",
        "rests_on_estimated": list(v.estimated),
        "p": json_number(v.p),
        "measured": None if v.measured is None else json_estimate(v.measured),
        "value": None if v.value is None else _json_parts(v.value),
        "ratio": None if v.ratio is None else json_estimate(v.ratio),
        "conditions": [_json_condition(one) for one in v.conditions],
        "largest_gamma": json_number(v.largest_gamma),
    }


def _json_bound(bound: Bound) -> dict[str, Any]:
    return {
        "bound": bound.name,
        "title": bound.title,
        "status": bound.status,
        "source": bound.source,
        "quantity": bound.quantity,
    }


def _json_condition(condition: Condition) -> dict[str, Any]:
    return {
        "name": condition.name,
        "left": json_number(condition.left),
        "right": json_number(condition.right),
        "met": bool(condition.met),
        "words": condition.formula,
    }


def _json_parts(parts: BoundValue) -> dict[str, float | None]:
    names = ("total", "optimization", "noise", "drift")
    return {name: json_number(getattr(parts, name)) for name in names}
