"""Facts of runs: the columns of a table that are constant over a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kavg.base import Floats
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
KNOWN: Final = {each.name: each for each in FACTS}
RESERVED: Final = {each.name for each in (*FACTS[:3], REPLICA, *AXES)} | {""}
"""Columns that no setting can be: one of such a name gets a prefix."""


def collect_facts(
    runs: Sequence[Trajectory], settings: Sequence[Mapping[str, Any]], points: Sequence[int]
) -> Facts:
    """Return what is constant over each run: what it carries, and the settings that were varied.

    >>> from numpy import arange, zeros
    >>> run = Trajectory("a", 2, 8, 1, arange(1), {}, zeros((1, 1)), zeros(0), zeros(1))
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
    if find_step_sizes(settings):
        names.remove("gamma")
    # A period that changes has a column of its own, beside the K of each round.
    taken = RESERVED | {"K"} if _has_other_periods(runs, settings) else RESERVED
    for name, column in rename_taken(names, taken, "setting.").items():
        given = [each.get(name) for each in settings]
        values = [None if each is None else to_setting(each) for each in given]
        # An algorithm of which P, K or mu is not varied has its own value nevertheless.
        own = facts.get(column, [None] * len(runs))
        facts[column] = [b if a is None else a for a, b in zip(values, own, strict=True)]
    return facts


def find_step_sizes(settings: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
    """Return the step size of each run, None where it was not varied; nothing if one is no number.

    They are in the column of the step sizes of the rounds, also at the start, where no round was.
    A schedule is in a column of its own.

    >>> find_step_sizes([{"gamma": 0.5}, {}]), find_step_sizes([{"gamma": {"kind": "piecewise"}}])
    ([0.5, None], [])
    """
    given = [each.get("gamma") for each in settings]
    are_numbers = all(isinstance(each, (int, float, type(None))) for each in given)
    return given if are_numbers and any(given) else []


def _has_other_periods(runs: Sequence[Trajectory], settings: Sequence[Mapping[str, Any]]) -> bool:
    """True if K was varied, and is not the K of a run: it is a period that changes."""
    given = [to_setting(each["K"]) if "K" in each else None for each in settings]
    pairs = zip(runs, given, strict=False)
    return any(K is not None and (type(K) is not int or run.K != K) for run, K in pairs)


def split_by_period(run: Trajectory) -> Iterator[tuple[int, slice]]:
    """Yield the stretches of recorded rounds of one period: their K and rows.

    >>> from numpy import array, zeros
    >>> w, none = zeros((1, 1)), zeros(0)
    >>> run = Trajectory("a", 2, 8, 1, array([0, 1, 2]), {}, w, none, none, Ks=array([1, 1, 8]))
    >>> list(split_by_period(run))
    [(1, slice(0, 2, None)), (8, slice(2, 3, None))]
    """
    Ks = run.periods
    ends = [*(np.flatnonzero(np.diff(Ks)) + 1).tolist(), len(Ks)]
    return ((int(Ks[a]), slice(a, b)) for a, b in pairwise([0, *ends]) if a < b)


def find_axis(run: Trajectory, name: str, step_size: float | None) -> NDArray[np.int64] | Floats:
    """Return the values ``(T,)`` of a column that is the same for all replicas.

    ``step_size`` is that of a run of which it was varied.
    """
    if name == "gamma":
        gammas = run.gammas if run.gammas.size else np.full(len(run.rounds), np.nan)
        # Rows of the start, where no step was taken, are found by what was varied too.
        return gammas if step_size is None else np.where(np.isnan(gammas), step_size, gammas)
    if name == "seconds":
        # Microseconds: more digits of a clock would only make the text longer.
        return run.seconds.round(6)
    # A column is named after one row of it.
    return run.axis({"round": "rounds", "step": "steps"}.get(name, name))


def describe_fact(name: str, values: Sequence[Setting | None], places: Mapping[str, str]) -> Column:
    """Return the column of a fact; ``places`` are those of varied settings by their names.

    >>> describe_fact("omega", [0.5], {"omega": "objective.omega"}).meaning
    'the setting objective.omega'
    """
    known = KNOWN.get(name)
    kind = find_type(values)
    if known is None:
        place = places.get(name) or places.get(name.removeprefix("setting."), name)
        return Column(name, kind, "", f"the setting {place}")
    if not values or all(value is None for value in values):
        kind = known.type
    return Column(name, kind, known.unit, known.meaning)
