"""The table of a finished sweep: winners with intervals, speed-ups, and what tuning has cost."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Final

from kavg.analysis.targets import describe_ratio
from kavg.cli.sweeps.looks import LastLook
from kavg.reports.coverage import describe_coverage
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import cell_width, wrap_text
from kavg.sweeps.designs.axes import EFFECTIVE_STEP
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.results import LEVEL, SweepResult, Winner
from kavg.sweeps.labels import abbreviate_settings
from kavg.text import escape_unprintable, format_count

WIDTH: Final = 80
NAME: Final = 24
"""Characters of an algorithm's name at most."""
EXACT: Final = 10**6
"""Gradients that are printed in full are fewer."""


def format_sweep_table(findings: Findings, result: SweepResult, last: LastLook) -> str:
    """Format the winners cell by cell: settings, value or time, speed-up, trials, gradients.

    Each interval of a time or value holds at the level by itself, those of the speed-ups together.
    """
    cells: dict[str, list[Winner]] = {}
    for winner in result.winners:
        cells.setdefault(abbreviate_settings(winner.point.cell), []).append(winner)
    lines = list(_format_head(findings, result, last))
    for cell, winners in cells.items():
        lines += ["", *wrap_text(cell or "best settings", WIDTH)]
        rows = [_format_row(winner, result, findings) for winner in winners]
        widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
        for winner, row in zip(winners, rows, strict=True):
            line = "  ".join(map(_pad, row, widths))
            lines += wrap_text(line.rstrip(), WIDTH, indent=2, hanging=4)
            lines += wrap_text(_describe_choice(winner), WIDTH, indent=6, hanging=2)
    return "\n".join(lines)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cell_width(text))


def _describe_choice(winner: Winner) -> str:
    """The settings that were chosen, and what was spent on it in all stages."""
    point, gradients = winner.point, winner.gradients
    chosen = {name: x for name, x in point.settings.items() if name not in point.cell}
    if EFFECTIVE_STEP in chosen:
        chosen.pop("gamma", None)
    trials = f"best of {winner.trials}: " if chosen else ""
    spent = f"{gradients}" if gradients < EXACT else f"{gradients:.3g}"
    return f"{trials}{abbreviate_settings(chosen)}{'; ' * bool(chosen)}{spent} gradients in all"


def _format_head(findings: Findings, result: SweepResult, last: LastLook) -> Iterator[str]:
    criterion, stages = findings.criterion, findings.sweep.stages
    level = f"{100 * LEVEL:g} %"
    config = stages[-1].configure(findings.sweep.points[0].config)
    noise = "fresh noise" if len(stages) > 1 else "the noise of all points"
    title = quantity_title(criterion.quantity)
    what = f"{title} at the end" if criterion.target is None else _describe_target(findings)
    yield from wrap_text(
        f"{what}: mean [{level} confidence interval] on {noise}, seed {config.seed}, "
        f"{format_count(config.replicas, 'replica')}.",
        WIDTH,
    )
    if coverage := describe_coverage(config.replicas):
        yield from wrap_text(coverage, WIDTH)
    if last.plan.aim is not None:
        yield from wrap_text(_describe_looks(last), WIDTH)
    if result.speed_ups:
        first = result.speed_ups[0].baseline.point.algorithm
        name, what = ("Speed-up", criterion.axis) if criterion.target else ("Ratio", "mean")
        yield from wrap_text(
            f"{name}: {what} of {_shorten_name(first)} divided by {what} of the other, paired by "
            f"replica; intervals hold together at {level}.",
            WIDTH,
        )


def _describe_looks(last: LastLook) -> str:
    """The aim, whether it was reached, and what the level of the intervals covers."""
    count = format_count(len(last.plan.looks), "look")
    level = f"{100 * LEVEL:g} % holds over {count}"
    if last.ended_by == "aim":
        return f"Replicas were added until {last.plan.aim}; {level}."
    limit = last.plan.budget.limits[last.ended_by]
    return (
        f"{last.plan.aim} was not reached within {limit:.9g} {last.ended_by}, at look "
        f"{last.look.number}; {level}."
    )


def _describe_target(findings: Findings) -> str:
    return f"{findings.criterion.axis} until {findings.criterion.target}"


def _format_row(winner: Winner, result: SweepResult, findings: Findings) -> list[str]:
    return [
        _shorten_name(winner.point.algorithm),
        _format_outcome(winner, findings),
        _format_ratio(winner, result, findings),
    ]


def _shorten_name(name: str) -> str:
    return escape_unprintable(name if len(name) <= NAME else f"{name[: NAME - 3]}...")


def _format_ratio(winner: Winner, result: SweepResult, findings: Findings) -> str:
    speed_up = result.find_speed_up(winner)
    if speed_up is None:
        return ""
    estimate = speed_up.estimate
    # Of one replica there is no interval, and a ratio of means is never censored.
    if findings.criterion.target is None or isnan(estimate.low):
        return format_estimate(estimate)
    return describe_ratio(estimate)


def _format_outcome(winner: Winner, findings: Findings) -> str:
    if winner.run.diverged_at is not None:
        return f"diverged at round {winner.run.diverged_at}"
    if winner.time is None:
        return format_estimate(winner.value)
    estimate = winner.time.estimate
    if not float(estimate.mean) < float("inf"):
        return f"not reached in {winner.time.censored_at:.4g} {findings.criterion.axis}"
    return format_estimate(estimate)
