"""Conversion of assignments to points, with all errors of their settings."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from kavg.budgets import Budget
from kavg.config import Config
from kavg.config.consistency import consistency_errors
from kavg.config.data_paths import data_path
from kavg.config.examples import format_value
from kavg.config.messages import describe_error
from kavg.config.table_conversion import MOST, WrongSettings, convert_tables
from kavg.config.tables import Place
from kavg.errors import KavgError
from kavg.objectives.finite_sums.empirical_risk import EmpiricalRisk
from kavg.sweeps.designs.assignments import Assignment
from kavg.sweeps.designs.axes import ALGORITHM, SettingAxis
from kavg.sweeps.points import Point, describe_point, make_point
from kavg.text import escape_unprintable, shorten

PARTS: Final = ("objective", "oracle", "start")
"""Parts of a problem, which points share where they are the same."""

DATA_PLACES: Final[tuple[Place, ...]] = ((), ("data",), ("data", "path"))
"""Places inside the objective that name a file of data."""

MOST_ROUNDS: Final = 10**15
"""Rounds of a budget; as many would take years."""

Part = TypeVar("Part")
Assigned = tuple[int, Assignment]
"""An assignment with the number of its algorithm in the file."""


class PointBuilder:
    """Converts assignments to points; ``errors`` are those found, each once.

    Points of one problem share its objective, oracle and start, so data are read once; without
    ``reads_data`` not at all, and how settings fit together is not checked where data are needed.
    """

    def __init__(
        self, budget: Budget | None, names: Mapping[SettingAxis, str], *, reads_data: bool = True
    ) -> None:
        self.errors: dict[str, str] = {}
        self._budget, self._names, self._reads_data = budget, names, reads_data
        self._parts: dict[str, Any] = {}
        self._groups: dict[str, list[Point]] = {}

    def build(self, assigned: Iterable[Assigned]) -> list[Point]:
        """Return the points; after ``MOST`` errors the rest is not looked at."""
        points: list[Point] = []
        for algorithm, assignment in assigned:
            point = self._build_one(len(points), algorithm, assignment)
            if point is not None:
                points.append(point)
                self._groups.setdefault(self._problem_key(point, assignment), []).append(point)
            # A wrong list of ten thousand values would be described value by value.
            if len(self.errors) > MOST:
                break
        if not self.errors:
            self._check_problems()
        return points

    def _build_one(self, number: int, algorithm: int, assigned: Assignment) -> Point | None:
        tables = dict(assigned.tables)
        if self._budget is not None:
            # Any number: how many follow from P, K and B is known once they are converted.
            tables["rounds"] = 1
        try:
            config = convert_tables(tables)
        except WrongSettings as error:
            for place, text in error.errors:
                self._add(place, text, algorithm, assigned)
            return None
        try:
            config = self._complete(config, tables)
        except KavgError as error:
            label = make_point(number, config, assigned, self._names).label
            self.errors.setdefault(
                str(error), f"sweep.budget: {error} (at {escape_unprintable(label)})"
            )
            return None
        return make_point(number, config, assigned, self._names)

    def _complete(self, config: Config, tables: Mapping[str, Any]) -> Config:
        """The config with the parts that it shares with others, and the rounds of the budget."""
        return replace(
            config,
            objective=self._share("objective", config.objective, tables),
            oracle=self._share("oracle", config.oracle, tables),
            start=self._share("start", config.start, tables),
            rounds=self._count_rounds(config),
        )

    def _count_rounds(self, config: Config) -> int:
        if self._budget is None:
            return config.rounds
        (method,), oracle = config.algorithms, config.oracle
        # Constants of an oracle over examples would read the data.
        B = getattr(oracle, "B", None) or config.problem.noise.B
        rounds = self._budget.count_rounds(method, B)
        if rounds < 1:
            raise KavgError(
                f"{self._budget.axis} = {self._budget.amount:g} is less than one round with "
                f"P={method.P}, K={method.K} and B={B}; raise it"
            )
        if rounds > MOST_ROUNDS:
            raise KavgError(
                f"{self._budget.axis} = {self._budget.amount:g} is {rounds:.3g} rounds, and a run "
                f"has at most {MOST_ROUNDS:g}; reduce it"
            )
        return rounds

    def _add(self, place: Place, text: str, algorithm: int, assigned: Assignment) -> None:
        """Add an error of a point: at the axis that set the value, or at the place in the file."""
        for axis, _ in assigned.chosen:
            if axis.place == place[: len(axis.place)]:
                self.errors.setdefault(f"{axis.name}: {text}", f"{axis.name}: {text}")
                return
        if place[:2] == ALGORITHM:
            place = ("algorithm", algorithm, *place[2:])
        line = describe_error(place, text)
        # What depends on several settings together is wrong at some points only.
        values = {
            self._names[axis]: shorten(format_value(value))
            for axis, value in assigned.chosen
            if _matters(axis, place, algorithm)
        }
        name = str(assigned.tables["algorithm"][0].get("name", ""))
        where = f" (at {escape_unprintable(describe_point(name, values))})" if values else ""
        self.errors.setdefault(line, f"{line}{where}")

    def _share(self, name: str, part: Part, tables: Mapping[str, Any]) -> Part:
        # A start that the settings do not give follows from the objective.
        given = {key: tables.get(key) for key in (name, "objective")}
        shared: Part = self._parts.setdefault(_to_text(given), part)
        return shared

    def _problem_key(self, point: Point, assigned: Assignment) -> str:
        # Rounds too, as the memory for records depends on them.
        parts = {key: assigned.tables.get(key) for key in (*PARTS, "dtype", "mean")}
        return f"{point.config.rounds} {_to_text(parts)}"

    def _check_problems(self) -> None:
        """Check how settings fit together, once for all points of a problem."""
        for points in self._groups.values():
            if not self._reads_data and isinstance(points[0].config.objective, EmpiricalRisk):
                continue
            methods = [point.config.algorithms[0] for point in points]
            # One of each P and K: the runs of all points are never in memory together.
            kinds = {(method.P, method.K): method for method in methods}
            merged = replace(points[0].config, algorithms=tuple(kinds.values()))
            for line in consistency_errors(merged):
                where = (
                    f" (at {escape_unprintable(points[0].label)})" if len(self._groups) > 1 else ""
                )
                self.errors.setdefault(line, f"{line}{where}")


def _to_text(tables: Mapping[str, Any]) -> str:
    return json.dumps(tables, sort_keys=True, default=str)


def _matters(axis: SettingAxis, place: Place, algorithm: int) -> bool:
    """True if an axis sets a value inside the table at a place of the file, or its kind."""
    found = axis.place
    if axis.algorithms is not None:
        found = ("algorithm", algorithm, *found[2:])
    is_kind = found[-1] == "kind" and place[: len(found) - 1] == found[:-1]
    return is_kind or found[: len(place)] == place


# The text of a sweep is stored in another folder, from which only the path of the file is related.
def find_data_error(assigned: Sequence[Assigned]) -> str | None:
    """Return what is wrong with paths of data that are varied: they must be absolute."""
    for _, assignment in assigned:
        source = data_path(assignment.tables)
        varied = [axis for axis, _ in assignment.chosen if axis.place[0] == "objective"]
        for axis in varied if source is not None and not os.path.isabs(source) else ():
            if axis.place[1:] in DATA_PLACES:
                return f"{axis.name}: a path that is varied must be absolute, got {source!r}"
    return None
