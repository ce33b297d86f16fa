"""Checks of a sweep as a whole: its size, its rounds, and that each axis is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kavg.budgets import Budget
from kavg.config.memory_estimates import check_record_memory
from kavg.config.messages import describe_error
from kavg.config.table_conversion import WrongSettings, convert_tables
from kavg.errors import KavgError
from kavg.sweeps.designs.assignments import Assignment, explain_missing, single_out
from kavg.sweeps.designs.axes import SettingAxis
from kavg.sweeps.sweep import Sweep
from kavg.text import shorten_repr

LAST_POINTS: Final = 4_000
"""Points of the last stage, which one file holds with all their arrays."""
MEASURED: Final = ("F", "grad_norm2", "dispersion")
"""The series that each run records."""


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


def check_size(sweep: Sweep) -> None:
    """Raise ``KavgError`` if the runs of the last stage are too many, or do not fit in memory."""
    last, count = sweep.stages[-1], sweep.count_points(len(sweep.stages) - 1)
    if count > LAST_POINTS:
        raise KavgError(
            f"sweep: needs at most {LAST_POINTS} points in the last stage, got {count}; vary less "
            "in [sweep.grid], or move places to [sweep.tune]"
        )
    rounds = max(last.count_rounds(point.config.rounds) for point in sweep.points)
    every = sweep.points[0].config.record.every
    try:
        check_record_memory(rounds, every, count, last.replicas)
    except KavgError as error:
        raise KavgError(f"sweep: {error}") from None


def check_quantity(sweep: Sweep) -> None:
    """Raise ``KavgError`` if a run does not record the quantity of the target."""
    for point in sweep.points:
        own = getattr(point.config.objective, "measures", {})
        known = (*MEASURED, *own)
        if sweep.quantity not in known:
            raise KavgError(
                f"sweep.target.quantity: needs one of {', '.join(known)}, "
                f"got {shorten_repr(sweep.quantity)}"
            )
