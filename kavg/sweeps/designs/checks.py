"""Checks of a sweep as a whole: its size, its rounds, and that each axis is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kavg.budgets import Budget
from kavg.config import Config
from kavg.config.config import STANDARD
from kavg.config.messages import describe_error
from kavg.config.sizes.counts import check_gradient_count, check_step_count
from kavg.config.sizes.memory_estimates import (
    check_batch_memory,
    check_kept_memory,
    check_measures,
    check_record_memory,
    check_round_memory,
)
from kavg.config.table_conversion import WrongSettings, convert_tables
from kavg.errors import KavgError
from kavg.sweeps.designs.assignments import Assignment, explain_missing, single_out
from kavg.sweeps.designs.axes import SettingAxis
from kavg.sweeps.sweep import Sweep
from kavg.text import shorten_repr

LAST_POINTS: Final = 4_000
"""Points of the last stage, which one file holds with all their arrays."""
LARGEST_SEED: Final = 2**63 - 1


def list_base_errors(tables: dict[str, Any]) -> list[str]:
    """Return the errors of the settings without ``sweep``, but for what the sweep may give them."""
    plain = {key: value for key, value in tables.items() if key != "sweep"}
    try:
        convert_tables(plain)
    except WrongSettings as error:
        # What the sweep varies need not be in the rest of the file.
        found = [(place, text) for place, text in error.errors if not text.startswith("is missing")]
        return [describe_error(place, text) for place, text in found]
    return []


def list_name_errors(algorithms: Sequence[Any]) -> list[str]:
    """Return an error for each name that two algorithms have."""
    # Each point has one algorithm, so its conversion cannot find this.
    names = [table.get("name") for table in algorithms]
    repeated = {name for name in names if isinstance(name, str) and names.count(name) > 1}
    return [
        f"algorithm: algorithms must have different names, got {shorten_repr(name)} twice"
        for name in sorted(repeated)
    ]


def list_rounds_errors(
    tables: dict[str, Any], axes: Sequence[SettingAxis], budget: Budget | None
) -> list[str]:
    """Return an error where rounds are given, and follow from a budget too."""
    given = ["rounds"] if "rounds" in tables else []
    given += [axis.name for axis in axes if axis.algorithms is None and axis.path == ("rounds",)]
    if budget is None:
        return []
    return [f"{name}: rounds follow from [sweep.budget]; leave one of them out" for name in given]


def list_unused_axes(
    axes: Sequence[SettingAxis], assigned: Sequence[tuple[int, Assignment]], tables: dict[str, Any]
) -> list[str]:
    """Return an error for each axis whose place no point has."""
    used = {axis for _, assignment in assigned for axis, _ in assignment.chosen}
    errors = []
    for axis in (axis for axis in axes if axis not in used):
        first = 0 if axis.algorithms is None else axis.algorithms[0]
        errors.append(f"{axis.name}: {explain_missing(axis, single_out(tables, first))}")
    return errors


def list_overridden_values(assigned: Sequence[tuple[int, Assignment]]) -> list[str]:
    """Return an error for each axis that sets a value which the table of another axis has too.

    The table is a column of its own, which would show a value that its run does not have.
    """
    errors: dict[str, None] = {}
    for _, assignment in assigned:
        for outer, table in assignment.chosen:
            for inner, _ in assignment.chosen if isinstance(table, dict | list) else ():
                if _has_value(table, outer, inner):
                    what = f"sets a value that {shorten_repr(table)} of {outer.name} has already"
                    errors[f"{inner.name}: {what}; leave it out of one of them"] = None
    return [*errors]


def _has_value(table: Any, outer: SettingAxis, inner: SettingAxis) -> bool:
    depth = len(outer.place)
    if len(inner.place) <= depth or inner.place[:depth] != outer.place:
        return False
    for step in inner.place[depth:]:
        is_there = step in table if isinstance(table, dict) else isinstance(table, list)
        if not is_there:
            return False
        table = table[step]
    return True


def check_size(sweep: Sweep) -> None:
    """Raise ``KavgError`` if the runs of the last stage are too many, or do not fit in memory."""
    last, count = sweep.stages[-1], sweep.count_points(len(sweep.stages) - 1)
    if count > LAST_POINTS:
        raise KavgError(
            f"sweep: needs at most {LAST_POINTS} points in the last stage, got {count}; vary less "
            "in [sweep.grid], or move places to [sweep.tune]"
        )
    rounds = max(last.count_rounds(point.config.rounds) for point in sweep.points)
    record = sweep.points[0].config.record
    try:
        check_record_memory(rounds, record.every, count, last.replicas, len(record.series))
    except KavgError as error:
        raise KavgError(f"sweep: {error}") from None


def check_stages(sweep: Sweep) -> None:
    """Raise ``KavgError`` if a stage has more replicas or rounds than can be run.

    What the file says of them was checked with the points.
    """
    for number, stage in enumerate(sweep.stages):
        if stage.seed > LARGEST_SEED:
            raise KavgError(
                f"sweep.stage.{number}: needs a seed of at most 2^63 - 1, got {stage.seed}, the "
                "seed of the file and the number of the stage; reduce seed"
            )
        configs = (stage.configure(point.config) for point in sweep.points)
        # One of each problem and size: points are many, and most differ in steps alone.
        kinds = {_find_size(config): config for config in configs}
        for config in kinds.values():
            try:
                _check_run_size(config)
            except KavgError as error:
                raise KavgError(f"sweep.stage.{number}: {error}") from None


def _find_size(config: Config) -> tuple[object, ...]:
    (method,) = config.algorithms
    size = method.P, method.K, method.optimizer.slots, method.learner_slots
    return id(config.objective), id(config.oracle), config.rounds, size


def _check_run_size(config: Config) -> None:
    (method,), R = config.algorithms, config.replicas
    check_round_memory(config.objective, method, R)
    check_kept_memory(config.objective, method, R, config.dtype)
    check_batch_memory(config.problem, method.P, R)
    check_record_memory(config.rounds, config.record.every, 1, R, len(config.record.series))
    check_measures(config.problem, config.algorithms, config.record, R)
    check_gradient_count(config.algorithms, config.rounds, config.problem.noise.B)
    check_step_count(config.algorithms, config.rounds, config.oracle)


def check_quantity(sweep: Sweep) -> None:
    """Raise ``KavgError`` if a run does not record the quantity of the target."""
    for point in sweep.points:
        own = getattr(point.config.objective, "measures", {})
        known = (*STANDARD, *own, *point.config.record.series)
        if sweep.quantity not in known:
            raise KavgError(
                f"sweep.target.quantity: needs one of {', '.join(known)}, "
                f"got {shorten_repr(sweep.quantity)}"
            )
