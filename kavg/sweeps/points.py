"""Points of a sweep: the settings of one run each, and what is varied in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from kavg.config import Config
from kavg.config.examples import format_value
from kavg.config.kinds import to_plain
from kavg.config.tables import Place
from kavg.sweeps.designs.assignments import Assignment
from kavg.sweeps.designs.axes import SettingAxis
from kavg.sweeps.designs.columns import GAMMA

SettingValue = bool | int | float | str
"""A varied value: lists and tables are text, as TOML writes them."""


@final
@dataclass(frozen=True)
class Point:
    """One run of a sweep: the settings of one algorithm, and what is varied in them.

    ``number`` is its place among the points of the sweep, from 0.  ``settings`` are the varied
    values by their short names (``shorten_places``), with ``gamma`` where the effective step is
    varied; ``cell`` are those that are not tuned.
    """

    number: int
    config: Config
    settings: Mapping[str, SettingValue]
    cell: Mapping[str, SettingValue]

    @property
    def algorithm(self) -> str:
        """The name of the algorithm."""
        return self.config.algorithms[0].name

    @property
    def label(self) -> str:
        """The algorithm and the varied settings, different for each point: ``M-AVG K=4 mu=0.5``."""
        return describe_point(self.algorithm, self.settings)


def describe_point(algorithm: str, settings: Mapping[str, SettingValue]) -> str:
    """Return the name of an algorithm with settings, ``M-AVG K=4 mu=0.5``."""
    pairs = (f"{name}={value}" for name, value in settings.items())
    return " ".join([algorithm, *pairs])


def make_point(
    number: int, config: Config, assigned: Assignment, names: Mapping[SettingAxis, str]
) -> Point:
    """Return the point of an assignment whose tables were converted to ``config``."""
    tables = to_plain(config)
    settings: dict[str, SettingValue] = {}
    cell: dict[str, SettingValue] = {}
    # In the order of the file, which may differ from that of the assignment.
    chosen = dict(assigned.chosen)
    for axis in (axis for axis in names if axis in chosen):
        found = {names[axis]: _name_value(axis, chosen[axis], tables)}
        if axis.is_derived:
            found["gamma"] = _name_value(replace(axis, path=GAMMA), 0.0, tables)
        settings |= found
        cell |= {} if axis.is_tuned else found
    return Point(number, config, settings, cell)


def _name_value(axis: SettingAxis, given: Any, tables: Mapping[str, Any]) -> SettingValue:
    if axis.is_derived:  # its place holds gamma
        return float(given)
    if isinstance(given, (dict, list, tuple)):
        return format_value(given)
    value = find_value(tables, axis.place)
    # Of the type that the setting has: 1 is 1.0 where any number would do.
    return value if isinstance(value, (bool, int, float, str)) else str(given)


def find_value(tables: Any, place: Place) -> Any:
    """Return the value at a place of tables.

    >>> from kavg.sweeps.designs.axes import ALGORITHM
    >>> find_value({"algorithm": [{"K": 4}]}, (*ALGORITHM, "K"))
    4
    """
    for step in place:
        tables = tables[step]
    return tables
