"""A comparison as plain text of at most 80 columns, one part a group of methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kavg.analysis.methods.arrivals import Arrivals, summarize_arrivals
from kavg.analysis.methods.comparison import ComparisonPlan, GroupComparison
from kavg.analysis.methods.contrast import Contrast
from kavg.analysis.methods.method import find_lowest
from kavg.analysis.methods.reading import Reading
from kavg.analysis.targets import describe_ratio
from kavg.reports.comparisons.labels import (
    describe_amount,
    describe_reading,
    describe_rule,
    describe_settings,
    describe_time,
    describe_tuning,
    format_time,
)
from kavg.reports.coverage import describe_coverage
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import align_columns, wrap_text
from kavg.text import escape_unprintable, format_count


def comparison_text(
    comparisons: Sequence[GroupComparison], plan: ComparisonPlan, width: int = 80
) -> str:
    """Return settings, means, contrasts and times to the target of each group, as text."""
    lines = [line for each in comparisons for line in (*_write_group(each, plan, width), "")]
    return "\n".join([*lines, *wrap_text(_describe_levels(comparisons, plan), width)])


def _write_group(comparison: GroupComparison, plan: ComparisonPlan, width: int) -> Iterator[str]:
    how = "" if plan.amount is not None else ", the most that all have"
    title = f"{quantity_title(plan.quantity)} at {describe_amount(comparison)}{how}"
    yield from wrap_text(title, width)
    if comparison.group.cell:
        yield from wrap_text(describe_settings(comparison.group.cell), width)
    yield ""
    yield from _align(comparison.readings, map(_describe_method, comparison.readings), width)
    yield ""
    amount = comparison.budget.amount
    means = (_describe_mean(each, amount) for each in comparison.readings)
    yield from _align(comparison.readings, means, width)
    yield from _write_contrasts(comparison, plan, width)
    if plan.target is not None and comparison.target_value is not None:
        yield ""
        yield from _write_times(comparison, plan, width)


def _describe_method(reading: Reading) -> str:
    method = reading.method
    settings = describe_settings(method.settings)
    return settings if method.tuning is None else f"{settings}; {describe_tuning(method.tuning)}"


def _describe_mean(reading: Reading, amount: float) -> str:
    said = describe_reading(reading)
    # Whole rounds, and recorded ones alone, fit into a budget: what is left of it is said.
    is_whole = reading.diverged_at is not None or reading.used >= amount * (1 - 1e-9)
    return said if is_whole else f"{said}, used {reading.used:.12g}"


def _write_contrasts(
    comparison: GroupComparison, plan: ComparisonPlan, width: int
) -> Iterator[str]:
    base = comparison.baseline.method.label
    others = [each.reading for each in comparison.contrasts]
    yield from wrap_text(f"minus {base}:", width, indent=2)
    yield from _align(others, map(_describe_difference, comparison.contrasts), width)
    # A ratio of F itself would depend on where F is 0.
    of = ", of F - f_star" if find_lowest(comparison.baseline.method, plan.quantity) else ""
    yield from wrap_text(f"over {base}{of}:", width, indent=2)
    yield from _align(others, map(_describe_ratio, comparison.contrasts), width)
    yield from _write_pairing(comparison, width)


def _describe_difference(contrast: Contrast) -> str:
    if contrast.difference is None:
        return "diverged"
    return f"{format_estimate(contrast.difference)}  {contrast.side.value}"


def _describe_ratio(contrast: Contrast) -> str:
    return "diverged" if contrast.ratio is None else format_estimate(contrast.ratio)


def _write_pairing(comparison: GroupComparison, width: int) -> Iterator[str]:
    base = comparison.baseline.method.label
    # Methods that are paired alike, or not for one reason, share a line.
    names: dict[tuple[tuple[str, ...], tuple[int, int]], list[str]] = {}
    for each in comparison.contrasts:
        names.setdefault((each.unshared, each.replicas), []).append(each.reading.method.label)
    for (unshared, (a, b)), labels in names.items():
        who = "all" if len(labels) == len(comparison.contrasts) else ", ".join(labels)
        if unshared:
            replicas = f"{a} and {b} independent replicas"
            said = f"not paired with {base}: {who}; other {', '.join(unshared)}, {replicas} (Welch)"
        else:
            said = f"paired with {base} by replica: {who}; {format_count(a, 'replica')}"
        yield from wrap_text(said, width, indent=2, hanging=2)


def _write_times(comparison: GroupComparison, plan: ComparisonPlan, width: int) -> Iterator[str]:
    target, value = plan.target, comparison.target_value
    if target is None or value is None:
        return
    sign = ">=" if target.increasing else "<="
    goal = f"{plan.axis} until the mean of {quantity_title(target.quantity)} {sign} {value:.6g}"
    yield from wrap_text(f"{goal} ({describe_rule(target)})", width)
    times = (describe_time(each.time) for each in comparison.readings)
    yield from _align(comparison.readings, times, width)
    base = comparison.baseline.method.label
    yield from wrap_text(f"speed-up over {base}:", width, indent=2)
    others = [each.reading for each in comparison.contrasts]
    yield from _align(others, map(_describe_speed_up, comparison.contrasts), width)
    yield from _write_arrivals(comparison, width)


def _write_arrivals(comparison: GroupComparison, width: int) -> Iterator[str]:
    readings = comparison.readings
    arrivals = summarize_arrivals(readings)
    until = next((each.until for each in arrivals if each is not None), 0.0)
    if not arrivals:
        return
    yield from wrap_text("median time of a single replica (Kaplan-Meier):", width, indent=2)
    yield from _align(readings, map(_describe_median, readings, arrivals), width)
    title = f"mean time of a single replica, {until:.12g} where it is later:"
    yield from wrap_text(title, width, indent=2)
    means = ("diverged" if each is None else format_estimate(each.mean) for each in arrivals)
    yield from _align(readings, means, width)


def _describe_median(reading: Reading, arrivals: Arrivals | None) -> str:
    if reading.time is None or arrivals is None:
        return "diverged"
    return format_time(arrivals.median, reading.time.censored_at)


def _describe_speed_up(contrast: Contrast) -> str:
    if contrast.speed_up is None:
        return "diverged"
    # Replicas of the difference are paired as far as both have them, and times are not.
    is_apart = contrast.is_paired and not contrast.is_time_paired
    remark = "  (not paired: unequal numbers of replicas)" if is_apart else ""
    return f"{describe_ratio(contrast.speed_up)}{remark}"


def _align(readings: Sequence[Reading], cells: Iterator[str], width: int) -> list[str]:
    names = (escape_unprintable(each.method.label) for each in readings)
    rows = list(zip(names, cells, strict=True))
    # The longer of the two columns is wrapped: a name, or settings with what tuning took.
    longest = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return align_columns(rows, width, flexible=0 if longest[0] > longest[1] else 1)


def _describe_levels(comparisons: Sequence[GroupComparison], plan: ComparisonPlan) -> str:
    count = sum(len(each.contrasts) for each in comparisons) * plan.statements
    level = f"{100 * (1 - plan.level):g} %"
    said = (
        f"[confidence interval]: {level} each for means and times; the {count} of contrasts with "
        f"a baseline hold together with {level} (Bonferroni)."
    )
    fewest = min(len(reading.samples) for each in comparisons for reading in each.readings)
    return f"{said} {describe_coverage(fewest)}".rstrip()
