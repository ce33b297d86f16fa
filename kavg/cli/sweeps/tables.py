"""The table of a finished sweep: winners with intervals, speed-ups, and what tuning has cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kavg.analysis.targets import describe_ratio
from kavg.cli.sweeps.looks import LookPlan
from kavg.reports.labels import format_estimate, quantity_title
from kavg.reports.text import align_columns, wrap_text
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.results import LEVEL, SweepResult, Winner
from kavg.sweeps.labels import abbreviate_settings
from kavg.text import format_count

WIDTH: Final = 80
EXACT: Final = 10**6
"""Gradients that are printed in full are fewer."""


def format_sweep_table(findings: Findings, result: SweepResult, plan: LookPlan) -> str:
    """Format the winners cell by cell: settings, value or time, speed-up, trials, gradients.

    Each interval of a time or value holds at the level by itself, those of the speed-ups together.
    """
    cells: dict[str, list[Winner]] = {}
    for winner in result.winners:
        cells.setdefault(abbreviate_settings(winner.point.cell), []).append(winner)
    lines = list(_format_head(findings, result, plan))
    for cell, winners in cells.items():
        lines += ["", *wrap_text(cell or "best settings", WIDTH)]
        rows = [_format_row(winner, result, findings) for winner in winners]
        lines += align_columns(rows, WIDTH, flexible=1)
        lines += wrap_text(_describe_spent(winners), WIDTH, indent=2, hanging=2)
    return "\n".join(lines)


def _describe_spent(winners: Sequence[Winner]) -> str:
    """What was spent on each algorithm, in all stages."""
    spent = {winner.point.algorithm: _format_spent(winner) for winner in winners}
    if len(winners) > 1 and len(set(spent.values())) == 1:
        return f"spent: {next(iter(spent.values()))} each"
    named = (f"{name} {text}" if len(spent) > 1 else text for name, text in spent.items())
    return f"spent: {'; '.join(named)}"


def _format_spent(winner: Winner) -> str:
    gradients = winner.gradients
    text = f"{gradients}" if gradients < EXACT else f"{gradients:.3g}"
    return f"{format_count(winner.trials, 'trial')}, {text} gradients"


def _format_head(findings: Findings, result: SweepResult, plan: LookPlan) -> Iterator[str]:
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
    if plan.aim is not None:
        count = format_count(len(plan.looks), "look")
        yield from wrap_text(
            f"Replicas were added until {plan.aim}; {level} holds over {count}.", WIDTH
        )
    if result.speed_ups:
        first = result.speed_ups[0].baseline.point.algorithm
        yield from wrap_text(
            f"Speed-up: {criterion.axis} of {first} over those of the other, paired by replica; "
            f"intervals hold together at {level}.",
            WIDTH,
        )


def _describe_target(findings: Findings) -> str:
    return f"{findings.criterion.axis} until {findings.criterion.target}"


def _format_row(winner: Winner, result: SweepResult, findings: Findings) -> list[str]:
    tuned = {
        name: value
        for name, value in winner.point.settings.items()
        if name not in winner.point.cell
    }
    speed_up = result.find_speed_up(winner)
    return [
        winner.point.algorithm,
        abbreviate_settings(tuned),
        _format_outcome(winner, findings),
        "" if speed_up is None else describe_ratio(speed_up.estimate),
    ]


def _format_outcome(winner: Winner, findings: Findings) -> str:
    if winner.run.diverged_at is not None:
        return f"diverged at round {winner.run.diverged_at}"
    if winner.time is None:
        return format_estimate(winner.value)
    estimate = winner.time.estimate
    if not float(estimate.mean) < float("inf"):
        return f"not reached in {winner.time.censored_at:.4g} {findings.criterion.axis}"
    return format_estimate(estimate)
