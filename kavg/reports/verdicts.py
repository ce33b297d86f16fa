"""Verdicts in words: a table of at most 100 columns, and the same for a machine to read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from kavg.analysis.bounds.bound import Bound
from kavg.analysis.bounds.setting import BoundValue
from kavg.analysis.estimate import Estimate
from kavg.analysis.verdict import Outcome, Verdict
from kavg.reports.text import columns, number, printable, wrap

WIDTH: Final = 100
QUANTITIES: Final = {
    "mean_grad_norm2": "mean of ||grad F(w_n)||^2 over the rounds",
    "final_gap": "F(w_{N+1}) - f_star",
    "mean_grad_norm2_local": "mean of ||grad F||^2 over all local steps",
}


def verdict_table(verdicts: Sequence[Verdict], *, level: float, looks: str = "") -> str:
    """One section an algorithm, one entry a bound: outcome, measured over bound, parts.

    Measured means stand once in each section, as bounds of one quantity share them.
    """
    heading = (
        f"Verdicts that hold together at level {100 * level:g} % (Holm){looks}. Where a bound "
        f"applies: measured/bound [{100 * (1 - level):g} % limits, one by one], then the bound "
        "as start + noise + drift."
    )
    lines = [*wrap(heading, WIDTH, "")]
    for name, group in groupby(verdicts, lambda one: one.algorithm):
        lines += ["", *wrap(printable(name), WIDTH, ""), *_section(list(group))]
    return "\n".join([*lines, "", summary_line(verdicts)])


def summary_line(verdicts: Sequence[Verdict]) -> str:
    """How many of each outcome.

    >>> summary_line([])
    'no verdict'
    """
    counts = {one: sum(v.outcome is one for v in verdicts) for one in Outcome}
    said = (f"{count} {outcome.words}" for outcome, count in counts.items() if count)
    return ", ".join(said) or "no verdict"


def _section(verdicts: Sequence[Verdict]) -> Iterator[str]:
    shown = {v.bound.quantity: v.measured for v in verdicts if v.measured is not None}
    for quantity, measured in shown.items():
        yield f"  {QUANTITIES[quantity]}: {number(measured)}"
    wide = max(columns(v.bound.name) for v in verdicts)
    for v in verdicts:
        start = f"  {v.bound.name:{wide}}  {v.outcome.words:{len('NOT APPLICABLE')}}"
        words = "; ".join(filter(None, (_numbers(v), _resting(v), v.reason)))
        yield from _hanging(start, words)


def _hanging(start: str, words: str) -> Iterator[str]:
    indent = " " * (columns(start) + 2)
    lines = list(wrap(words, WIDTH, indent)) if words else [""]
    yield f"{start}  {lines[0].strip()}".rstrip()
    yield from lines[1:]


def _numbers(v: Verdict) -> str:
    if v.ratio is None or v.value is None:
        return ""
    return f"{ratio_words(v.ratio)} of {parts_words(v.value)}"


def ratio_words(ratio: Estimate) -> str:
    """Measured over bound in three decimals (or digits), with limits if there are any.

    >>> from kavg.analysis.fieller import ratio_interval
    >>> ratio_words(ratio_interval([1.0, 2.0, 3.0], [4.0, 4.0, 4.0]))
    '0.500 [-0.121, 1.121]'
    """
    mean, low, high = float(ratio.mean), float(ratio.low), float(ratio.high)
    if not math.isfinite(mean):
        return "infinite"
    style = ".3f" if 0.01 <= mean < 100 else ".3g"
    limits = f" [{low:{style}}, {high:{style}}]" if math.isfinite(low) else ""
    return f"{mean:{style}}{limits}"


def parts_words(parts: BoundValue) -> str:
    """A bound as the sum of what is left of the start, noise and drift.

    >>> parts_words(BoundValue(1.0, 0.25, 0.0))
    '1.25 = 1 + 0.25 + 0'
    """
    start, noise, drift = parts.optimization, parts.noise, parts.drift
    return f"{parts.total:.3g} = {start:.3g} + {noise:.3g} + {drift:.3g}"


def _resting(v: Verdict) -> str:
    return f"with estimated {', '.join(v.rests_on)}" if v.rests_on else ""


def verdicts_json(
    verdicts: Sequence[Verdict], *, level: float, rounds: int, replicas: int, looks: int = 1
) -> dict[str, Any]:
    """Everything in the table, ready for ``json.dumps(..., allow_nan=False)``.

    ``looks`` is how often the runs were looked at, 1 unless replicas were added.
    """
    return {
        "level": level,
        "kept_over": "all verdicts together (Holm)",
        "rounds": rounds,
        "replicas": replicas,
        "looks": looks,
        "outcomes": {one.words: one.value for one in Outcome},
        "verdicts": [plain_verdict(one) for one in verdicts],
    }


def plain_verdict(v: Verdict) -> dict[str, Any]:
    """One verdict; numbers that are not finite are null."""
    return {
        "algorithm": v.algorithm,
        **plain_bound(v.bound),
        "outcome": v.outcome.words,
        "reason": v.reason,
        "rests_on_estimated": list(v.rests_on),
        "p": plain_number(v.p),
        "measured": _plain_estimate(v.measured),
        "value": plain_parts(v.value),
        "ratio": _plain_estimate(v.ratio),
        "conditions": [
            {
                "name": c.name,
                "left": plain_number(c.left),
                "right": plain_number(c.right),
                "met": bool(c.met),
                "words": c.words,
            }
            for c in v.conditions
        ],
        "largest_gamma": plain_number(v.largest_gamma),
    }


def plain_bound(bound: Bound) -> dict[str, Any]:
    """Which theorem, of what, and whose."""
    return {
        "bound": bound.name,
        "title": bound.title,
        "status": bound.status,
        "source": bound.source,
        "quantity": bound.quantity,
    }


def plain_parts(parts: BoundValue | None) -> dict[str, float | None] | None:
    """A bound's value and its parts."""
    if parts is None:
        return None
    names = ("total", "optimization", "noise", "drift")
    return {name: plain_number(getattr(parts, name)) for name in names}


def _plain_estimate(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {name: plain_number(getattr(estimate, name)) for name in ("mean", "low", "high")}


def plain_number(value: Any) -> float | None:
    """A number JSON can hold.

    >>> plain_number(float("inf")) is None
    True
    """
    return float(value) if math.isfinite(value) else None
