"""Facts of runs: the columns of a table that are constant over a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from kavg.storage.tables.columns import (
    AXES,
    FACTS,
    REPLICA,
    Column,
    Setting,
    find_type,
    rename_taken,
    to_setting,
)
from kavg.trajectory import Trajectory

Facts = Mapping[str, Sequence[Setting | None]]
"""A value for each run, None where it has none, by the names of the columns."""
KNOWN: Final = {each.name: each for each in (*FACTS, *AXES)}
RESERVED: Final = {each.name for each in (*FACTS[:3], REPLICA, *AXES[1:])} | {""}
"""Columns that no setting can be: one of such a name gets a prefix."""


def collect_facts(
    runs: Sequence[Trajectory], settings: Sequence[Mapping[str, Any]], points: Sequence[int]
) -> Facts:
    """Return what is constant over each run: what it carries, and the settings that were varied.

    >>> z = np.zeros((1, 1))
    >>> run = Trajectory("a", 2, 8, 1, np.arange(1), {"F": z}, z, np.empty(0), np.zeros(1))
    >>> collect_facts([run], [{"omega": 0.5}], [7])["omega"]
    [0.5]
    """
    facts: dict[str, list[Setting | None]] = {"point": list(points)} if points else {}
    facts |= {
        "algorithm": [run.name for run in runs],
        "rule": [run.outer.get("kind", "") for run in runs],
        "P": [int(run.P) for run in runs],
        "K": [int(run.K) for run in runs],
        "B": [int(run.B) for run in runs],
        "mu": [run.outer.get("mu") for run in runs],
    }
    names = [*dict.fromkeys(name for each in settings for name in each)]
    for name, column in rename_taken(names, RESERVED, "setting.").items():
        # An algorithm of which the setting is not varied has its own value nevertheless.
        own = [_find_gamma(run) for run in runs] if name == "gamma" else facts.get(column)
        given = [each.get(name) for each in settings]
        values = [None if each is None else to_setting(each) for each in given]
        facts[column] = _fill(values, own) if own else values
    return facts


def _fill(values: Sequence[Setting | None], own: Sequence[Setting | None]) -> list[Setting | None]:
    return [b if a is None else a for a, b in zip(values, own, strict=True)]


def _find_gamma(run: Trajectory) -> float | None:
    """The step size of a run, None if it is not one for all rounds."""
    gammas = np.unique(run.gammas[~np.isnan(run.gammas)])
    return float(gammas[0]) if len(gammas) == 1 else None


def describe_fact(name: str, values: Sequence[Setting | None], places: Mapping[str, str]) -> Column:
    """Return the column of a fact; ``places`` are those of varied settings by their names.

    >>> describe_fact("omega", [0.5], {"omega": "objective.omega"}).meaning
    'the setting objective.omega'
    """
    known = KNOWN.get(name)
    kind = find_type(values)
    if known is None:
        return Column(name, kind, "", f"the setting {places.get(name, name)}")
    if not values or all(value is None for value in values):
        kind = known.type
    meaning = "local step size" if name == "gamma" else known.meaning
    return Column(name, kind, known.unit, meaning)
