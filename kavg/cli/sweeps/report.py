"""The results of a sweep as JSON, as settings files of the winners, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from kavg.config import Config, to_toml
from kavg.config.kinds import to_plain
from kavg.reports.json_values import json_estimate, json_number
from kavg.storage import joint_digest
from kavg.sweeps.execution.spreading import Spreading
from kavg.sweeps.judgement.findings import Findings
from kavg.sweeps.judgement.results import SweepResult, Winner
from kavg.sweeps.labels import abbreviate_settings
from kavg.sweeps.points import Point
from kavg.text import escape_unprintable, format_count
from kavg.trajectory import Trajectory

FORMAT: Final = 1
"""The format of ``sweep.json``."""


def describe_sweep(
    findings: Findings, result: SweepResult, spreadings: Sequence[Spreading]
) -> dict[str, Any]:
    """Build the content of ``sweep.json``: points, stages, winners, and what was spent."""
    sweep, criterion = findings.sweep, findings.criterion
    columns = dict.fromkeys(name for point in sweep.points for name in point.settings)
    runs = sum(map(len, findings.records)) + len(findings.earlier)
    return {
        "format": FORMAT,
        "quantity": criterion.quantity,
        "axis": criterion.axis,
        "clock": asdict(criterion.clock),
        "target": None if sweep.target is None else _drop_none(asdict(sweep.target)),
        "budget": None if sweep.budget is None else {sweep.budget.axis: sweep.budget.amount},
        "level": result.level,
        "columns": list(columns),
        "problem": sweep.problem_settings,
        "points": list(_describe_points(sweep.points)),
        "stages": [_describe_stage(findings, i) for i in range(len(findings.records))],
        "spread": [str(each) for each in spreadings],
        "winners": [_describe_winner(each, result) for each in result.winners],
        "spent": {
            "trials": len(sweep.points),
            "runs": runs,
            "gradients": findings.count_gradients(),
        },
        "digest": joint_digest(order_runs(findings)),
    }


def _drop_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def order_runs(findings: Findings) -> list[Trajectory]:
    """Return the runs of the last stage in the order of its points."""
    last = findings.choose_points(len(findings.records) - 1)
    return [findings.runs[point.number] for point in last]


def _describe_points(points: Sequence[Point]) -> Iterator[dict[str, Any]]:
    for point in points:
        config, algorithm = point.config, point.config.algorithms[0]
        yield {
            "number": point.number,
            "label": point.label,
            "algorithm": algorithm.name,
            "settings": to_plain(dict(point.settings)),
            "cell": to_plain(dict(point.cell)),
            "rounds": config.rounds,
            "P": algorithm.P,
            "K": to_plain(algorithm.K),
        }


def _describe_stage(findings: Findings, stage: int) -> dict[str, Any]:
    points = findings.choose_points(stage)
    records = [findings.records[stage][point.number] for point in points]
    first = findings.sweep.stages[stage].configure(points[0].config)
    return {
        "seed": first.seed,
        "replicas": first.replicas,
        "keep": findings.sweep.stages[stage].keep,
        "points": [record.number for record in records],
        "rounds": [record.rounds for record in records],
        "reached": [record.reached for record in records],
        "times": [None if each.time is None else asdict(each.time) for each in records],
        "final": [record.final for record in records],
        "samples": [record.samples for record in records],
        "diverged_at": [record.diverged_at for record in records],
        "gradients": [record.gradients for record in records],
        "digests": [record.digest for record in records],
    }


def _describe_winner(winner: Winner, result: SweepResult) -> dict[str, Any]:
    speed_up = result.find_speed_up(winner)
    time = winner.time
    return {
        "algorithm": winner.point.algorithm,
        "cell": to_plain(dict(winner.point.cell)),
        "settings": to_plain(dict(winner.point.settings)),
        "point": winner.point.number,
        "run": winner.place,
        "trials": winner.trials,
        "gradients": winner.gradients,
        "rivals": winner.rivals,
        "diverged_at": winner.run.diverged_at,
        "value": None if winner.run.diverged_at is not None else json_estimate(winner.value),
        "time": None
        if time is None
        else {
            **json_estimate(time.estimate),
            "reached": int(time.reached.sum()),
            "censored_at": json_number(time.censored_at),
        },
        "speed_up": None
        if speed_up is None
        else {
            **json_estimate(speed_up.estimate),
            "over": speed_up.baseline.point.number,
        },
    }


def write_best_settings(result: SweepResult, folder: Path) -> dict[str, str]:
    """Return settings files of the winners by name: ``best.toml``, or one for each problem.

    ``kavg run`` repeats with them the runs of the last stage.  Winners share a file if they differ
    in the algorithm alone; ``folder`` is where the sweep is written.
    """
    groups: list[list[Winner]] = []
    for winner in result.winners:
        group = next((each for each in groups if _have_one_problem(each[0], winner)), None)
        if group is None:
            groups.append([winner])
        else:
            group.append(winner)
    if len(groups) == 1:
        return {"best.toml": _format_best(groups[0], folder)}
    # Paths of data are relative to the folder of the file.
    inner = folder / "best"
    return {f"best/{i}.toml": _format_best(group, inner) for i, group in enumerate(groups, start=1)}


def _have_one_problem(a: Winner, b: Winner) -> bool:
    settings = [to_plain(replace(each.config, algorithms=a.config.algorithms)) for each in (a, b)]
    return bool(settings[0] == settings[1])


def _format_best(group: Sequence[Winner], folder: Path) -> str:
    names = [winner.point.algorithm for winner in group]
    algorithms = tuple(
        winner.config.algorithms[0]
        if names.count(winner.point.algorithm) == 1
        else replace(winner.config.algorithms[0], name=_name_by_cell(winner))
        for winner in group
    )
    config: Config = replace(group[0].config, algorithms=algorithms)
    head = "# The best settings that kavg sweep found, with the seed of its last stage."
    return "\n".join([head, *map(_remark_winner, group), "", to_toml(config, folder)])


def _remark_winner(winner: Winner) -> str:
    # Names are the user's, and TOML allows no control characters in a remark.
    label = escape_unprintable(winner.point.label)
    return f"# {label}: the best of {format_count(winner.trials, 'trial')}"


def _name_by_cell(winner: Winner) -> str:
    return f"{winner.point.algorithm} {abbreviate_settings(winner.point.cell)}"
