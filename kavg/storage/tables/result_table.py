"""The table of results: recorded series of many runs, with the settings of each as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage.tables.columns import (
    AXES,
    REPLICA,
    Column,
    ColumnType,
    Setting,
    describe_series,
    rename_taken,
    to_array,
    to_cell,
)
from kavg.storage.tables.facts import (
    Facts,
    collect_facts,
    describe_fact,
    find_axis,
    find_step_sizes,
    split_by_period,
)
from kavg.storage.tables.frames import make_pandas, make_polars
from kavg.storage.tables.lines import format_cells, format_rows
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory


@final
class MissingColumn(KavgError, KeyError):
    """A table has no column of the name, or no run of the values, that were asked for."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


@final
@dataclass(frozen=True, eq=False)
class ResultTable(Mapping[str, NDArray[Any]]):
    """Results of runs as columns: a mapping of names to arrays, one row a replica and round.

    ``runs`` are trajectories; ``settings`` what was varied, by short names, a mapping for each run;
    ``points`` the numbers of the points of a sweep (none for a plain run) and ``places`` the places
    of the settings by their short names.  Rows are those of the first run, round by round and in a
    round replica by replica, then those of the next.  The columns, described by ``schema``, are

    - ``point``, ``algorithm``, ``rule``, ``P``, ``K``, ``B``, ``mu`` and the settings,
    - ``replica``, ``gamma`` (of the round), ``round``, ``step``, ``gradients``,
      ``communications``, ``seconds``, and
    - the recorded series: ``F``, ``grad_norm2``, ``dispersion``, ...

    Missing values are NaN or the empty text.  An array is made when its column is asked for.
    Raises ``KavgError`` if settings or points are not as many as runs.

    >>> import kavg
    >>> problem = kavg.Problem(kavg.objectives.Quadratic((1.0,)), kavg.oracles.Noiseless(), 1.0)
    >>> method = kavg.Algorithm(P=2, K=1, gamma=0.5, outer=kavg.outer.BlockMomentum(0.25))
    >>> table = ResultTable([kavg.simulate(problem, method, rounds=2)])
    >>> table["round"], table["mu"], table["F"]
    (array([0, 1, 2]), array([0.25, 0.25, 0.25]), array([0.5      , 0.125    , 0.0078125]))
    """

    runs: Sequence[Trajectory]
    settings: Sequence[Mapping[str, Any]] = ()
    points: Sequence[int] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("settings", "points"):
            given = getattr(self, name)
            if len(given) not in (0, len(self.runs)):
                raise KavgError(f"{name} must be one a run, got {len(given)} of {len(self.runs)}")

    @cached_property
    def schema(self) -> tuple[Column, ...]:
        """The columns in their order: name, type, unit and meaning of each."""
        facts = [describe_fact(name, x, self.places) for name, x in self._facts.items()]
        series = [describe_series(column, name) for column, name in self._series.items()]
        return (*facts, REPLICA, *AXES, *series)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(map(count_rows, self.runs))

    def select(self, /, **wanted: Setting) -> ResultTable:
        """Return the table of the runs that have these values: ``select(algorithm="M-AVG", K=4)``.

        Of a name that is not one of Python: ``select(**{"objective.omega": 2.0})``.  Raises
        ``KavgError`` for a column that varies within a run, and if no run has the values.
        """
        varied: Facts = {"gamma": self._step_sizes} if any(self._step_sizes) else {}
        # None equals no number: such a run has many K.
        periods = [None if run.Ks.size else run.K for run in self.runs]
        facts = {**self._facts, **varied, "K": periods}
        for name in wanted:
            if name not in facts:
                raise MissingColumn(
                    f"{name!r} is not constant over a run; choose by {', '.join(facts)}"
                )
        kept = [
            i for i in range(len(self.runs))
            if all(facts[name][i] == value for name, value in wanted.items())
        ]  # fmt: skip
        if not kept:
            raise MissingColumn(f"none of {len(self.runs)} runs has {shorten_repr(wanted)}")
        return self.take(kept)

    def take(self, kept: Sequence[int]) -> ResultTable:
        """Return the table of some of the runs, by their places in ``runs``."""
        settings = [self.settings[i] for i in kept] if self.settings else ()
        points = [self.points[i] for i in kept] if self.points else ()
        return ResultTable([self.runs[i] for i in kept], settings, points, self.places)

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``; raise ``KavgError`` if pandas is not installed."""
        return make_pandas(self)

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame``; raise ``KavgError`` if polars is not installed."""
        return make_polars(self)

    def format_lines(self) -> Iterator[str]:
        """Yield the table as lines of a ``.csv`` file, the first with the names of the columns.

        Names and texts that a spreadsheet would evaluate have an apostrophe in front.
        """
        yield f"{format_cells(column.name for column in self.schema)}\n"
        for i, run in enumerate(self.runs):
            series = [run.series.get(name) for name in self._series.values()]
            axes = [find_axis(run, each.name, self._step_sizes[i]) for each in AXES]
            for K, rows in split_by_period(run):
                own = {name: K if name == "K" else x[i] for name, x in self._facts.items()}
                facts = ",".join(map(_format_fact, own.values()))
                parts = [None if x is None else x[rows] for x in series]
                yield from format_rows(facts, [x[rows] for x in axes], parts, run.replicas)

    def read_column(self, name: str, part: range) -> NDArray[Any]:
        """Return the rows of a column that belong to a range of the runs."""
        kind = self._types.get(name)
        if kind is None:
            raise MissingColumn(
                f"there is no column {shorten_repr(name)}; there are: {', '.join(self._types)}"
            )
        # An empty part of the right type: concatenating nothing is an error.
        parts = [self._find_values(name, kind, i) for i in part]
        return np.concatenate([to_array([], kind), *(each.ravel() for each in parts)])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.read_column(name, range(len(self.runs)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    # That of a mapping would compare arrays, whose equality has no truth value.
    __eq__, __hash__ = object.__eq__, object.__hash__

    def __repr__(self) -> str:
        return f"<ResultTable of {len(self.runs)} runs, {self.rows} rows: {', '.join(self)}>"

    @cached_property
    def _facts(self) -> Facts:
        return collect_facts(self.runs, self.settings, self.points)

    @cached_property
    def _step_sizes(self) -> Sequence[float | None]:
        return find_step_sizes(self.settings) or [None] * len(self.runs)

    @cached_property
    def _series(self) -> Mapping[str, str]:
        """The names of the series by those of their columns."""
        taken = ("", *self._facts, REPLICA.name, *(each.name for each in AXES))
        names = [*dict.fromkeys(name for run in self.runs for name in run.series)]
        columns = rename_taken(names, taken, "series.")
        return {column: name for name, column in columns.items()}

    @cached_property
    def _types(self) -> Mapping[str, ColumnType]:
        return {column.name: column.type for column in self.schema}

    def _find_values(self, name: str, kind: ColumnType, i: int) -> NDArray[Any]:
        """The values of a column in run i, ``(T, R)``."""
        run = self.runs[i]
        shape = (len(run.rounds), run.replicas)
        if name == "K":
            return np.broadcast_to(run.periods[:, None], shape)
        if name in self._facts:
            return np.broadcast_to(to_array([self._facts[name][i]], kind), shape)
        if name == REPLICA.name:
            return np.broadcast_to(np.arange(run.replicas), shape)
        if name in self._series:
            # Not every algorithm records every series.
            return run.series.get(self._series[name], np.full(shape, np.nan))
        values = find_axis(run, name, self._step_sizes[i])
        return np.broadcast_to(values[:, None], shape)


def count_rows(run: Trajectory) -> int:
    """Return the number of rows that a run has in a table: recorded rounds times replicas."""
    return len(run.rounds) * run.replicas


def _format_fact(value: Setting | None) -> str:
    if isinstance(value, str):
        return format_cells([value])
    return "" if value is None else to_cell(value)
