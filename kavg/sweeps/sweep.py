"""The sweep that a settings file describes: its points, target, budget and stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.budgets import Budget
from kavg.config.sweeps.tables import UntilTable
from kavg.config.table_conversion import format_tables
from kavg.config.toml import parse_toml
from kavg.sweeps.points import Point, SettingValue
from kavg.sweeps.stage import Stage
from kavg.targets import Target

QUANTITY: Final = "grad_norm2"
"""What points are compared by where no target says otherwise."""

CellKey = tuple[str, tuple[tuple[str, SettingValue], ...]]
"""An algorithm, and the settings of a cell."""


@final
@dataclass(frozen=True)
class Sweep:
    """Many runs of one settings file: for each algorithm every combination of its settings.

    ``text`` are the settings as TOML, from which ``parse_sweep`` makes the same sweep; ``places``
    are those of the varied settings by their short names, ``{"K": "algorithm.*.K"}``, in the order
    of the columns of tables.  ``points[i].number`` is i.  ``stages`` has one stage at least.
    """

    text: str
    points: tuple[Point, ...]
    places: Mapping[str, str]
    stages: tuple[Stage, ...]
    target: Target | None = None
    budget: Budget | None = None
    until: UntilTable | None = None

    @property
    def quantity(self) -> str:
        """The recorded series by which points are compared: that of the target."""
        return QUANTITY if self.target is None else self.target.quantity

    @property
    def is_tuned(self) -> bool:
        """True if only the best points of each algorithm and cell count."""
        return len(self.stages) > 1

    @property
    def problem_settings(self) -> list[str]:
        """The short names of the settings of the problem that are varied and not tuned.

        Points that differ in one of them have no common best.
        """
        cells = {name for point in self.points for name in point.cell}
        return [
            name
            for name, place in self.places.items()
            if name in cells and not place.startswith("algorithm")
        ]

    @property
    def trials(self) -> Mapping[CellKey, int]:
        """The number of points of each algorithm in each of its cells."""
        return Counter(map(cell_key, self.points))

    def count_points(self, stage: int) -> int:
        """Return how many points run in a stage, by its number from 0."""
        keep = self.stages[stage].keep
        return sum(n if keep is None else min(n, keep) for n in self.trials.values())

    def to_toml(self, folder: Path) -> str:
        """Return ``text`` with the path of data relative to a folder (``kavg.config.to_toml``)."""
        return format_tables(parse_toml(self.text), folder)


def cell_key(point: Point) -> CellKey:
    """Return the algorithm of a point and its cell, which those that are chosen among share."""
    return point.algorithm, tuple(point.cell.items())
