"""The factors of a sweep: axes whose values advance together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any, Final, final

from kavg.config.consistency import collect_error
from kavg.config.sweeps.tables import AxisValues, RandomTable, SweepTable
from kavg.errors import KavgError
from kavg.sweeps.designs.axes import SettingAxis, read_axis
from kavg.sweeps.designs.axis_values import (
    check_effective_steps,
    draw_values,
    find_repeated,
    list_values,
)
from kavg.text import shorten_repr

LAST: Final = 1_000
"""The precedence of what is set after all else."""
MOST_AXES: Final = 50
"""Places of a sweep: pairs of them are compared, and a combination is as deep as their number."""


@final
@dataclass(frozen=True)
class Factor:
    """Axes whose values advance together, one row after the other.

    An axis of a grid is a factor of its own; a zip, and all places of a random design, are one.
    """

    axes: tuple[SettingAxis, ...]

    @property
    def rows(self) -> int:
        """The number of rows, that of the values of each axis."""
        return len(self.axes[0].values)


def order_factors(factors: Sequence[Factor]) -> list[int]:
    """Return the order in which factors are applied: those that set tables or kinds, then the rest.

    Raises ``KavgError`` if two factors each set a table in which the other sets a value.

    >>> paths = (("start", "scale"), ("start",))
    >>> order_factors([Factor((SettingAxis((), "", path, None),)) for path in paths])
    [1, 0]
    """
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for after, factor in enumerate(factors):
        before = [i for i, other in enumerate(factors) if i != after and _leads(other, factor)]
        sorter.add(after, *before)
    try:
        return [*sorter.static_order()]
    except CycleError as error:
        axes = [axis.name for number in {*error.args[1]} for axis in factors[number].axes]
        raise KavgError(
            f"sweep: {', '.join(sorted(axes))} set tables of one another; put them into one zip"
        ) from None


def _leads(one: Factor, other: Factor) -> bool:
    return any(_decides(axis, inner) for axis in one.axes for inner in other.axes)


def _decides(axis: SettingAxis, inner: SettingAxis) -> bool:
    """True if an axis sets a table, or its kind, in which another sets a value."""
    if inner.is_derived or axis.is_derived:  # gamma follows from the momentum
        return inner.is_derived and not axis.is_derived
    table = axis.place[:-1] if axis.path[-1] == "kind" else axis.place
    is_inside = len(table) < len(inner.place) and inner.place[: len(table)] == table
    return is_inside and axis.place != inner.place and axis.meets(inner)


def rank_axis(axis: SettingAxis) -> tuple[int, bool]:
    """Return the precedence of an axis: whole tables and kinds first, the effective step last.

    Kinds decide which other settings there are.
    """
    return (LAST if axis.is_derived else len(axis.path), axis.path[-1] != "kind")


def list_factors(table: SweepTable, algorithms: Sequence[Any], errors: list[str]) -> list[Factor]:
    """Return the factors of a table ``[sweep]``; add what is wrong with them to ``errors``.

    ``algorithms`` are the tables ``[[algorithm]]`` of the file.
    """
    reader = _Reader(algorithms, errors)
    tune = table.tune
    reader.read_grid(("sweep", "grid"), table.grid.places if table.grid else {})
    reader.read_zip(("sweep", "zip"), table.zip.places if table.zip else {})
    reader.read_random(("sweep", "random"), table.random)
    if tune is not None:
        reader.read_grid(("sweep", "tune"), tune.places)
        reader.read_zip(("sweep", "tune", "zip"), tune.zip.places if tune.zip else {})
        reader.read_random(("sweep", "tune", "random"), tune.random)
    axes = [axis for factor in reader.factors for axis in factor.axes]
    if len(axes) > MOST_AXES:
        errors.append(f"sweep: needs at most {MOST_AXES} places, got {len(axes)}")
        return []
    try:
        order_factors(reader.factors)
    except KavgError as error:
        errors.append(str(error))
        return []
    for one, other in combinations(axes, 2):
        if one.has_target_of(other):
            advice = "" if one.algorithms is None else ", or name the algorithms in each"
            words = f"varies what {one.name} varies already; leave one of them out{advice}"
            errors.append(f"{other.name}: {words}")
    return reader.factors


class _Reader:
    """Reads the groups of a table [sweep] into factors."""

    def __init__(self, algorithms: Sequence[Any], errors: list[str]) -> None:
        self.factors: list[Factor] = []
        self._algorithms, self._errors = algorithms, errors

    def read_grid(self, group: tuple[str, ...], places: Mapping[str, AxisValues]) -> None:
        for text, given in places.items():
            axis = self._read_axis(group, text)
            if axis is not None and (values := self._list_values(axis, given)):
                # Two points with one label; in a zip and a random design values may come again.
                repeated = find_repeated(values)
                if repeated is not None:
                    self._errors.append(f"{axis.name}: has {shorten_repr(repeated)} twice")
                self.factors.append(Factor((replace(axis, values=values),)))

    def read_zip(self, group: tuple[str, ...], places: Mapping[str, AxisValues]) -> None:
        axes = []
        for text, given in places.items():
            axis = self._read_axis(group, text)
            if axis is not None and (values := self._list_values(axis, given)):
                axes.append(replace(axis, values=values))
        lengths = {axis.name: len(axis.values) for axis in axes}
        if len({*lengths.values()}) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            self._errors.append(f"{'.'.join(group)}: needs lists of one length; {found}")
        elif axes:
            self.factors.append(Factor(tuple(axes)))

    def read_random(self, group: tuple[str, ...], table: RandomTable | None) -> None:
        if table is None:
            return
        axes = []
        for text, given in table.places.items():
            axis = self._read_axis(group, text)
            if axis is not None:
                with collect_error(self._errors, axis.name):
                    values = draw_values(text, given, table)
                    _check_values(axis, values)
                    axes.append(replace(axis, values=values))
        if not table.places:
            self._errors.append(f"{'.'.join(group)}: needs a place and its law or list of values")
        if axes:
            self.factors.append(Factor(tuple(axes)))

    def _read_axis(self, group: tuple[str, ...], text: str) -> SettingAxis | None:
        try:
            return read_axis(group, text, (), self._algorithms)
        except KavgError as error:
            self._errors.append(f"{SettingAxis(group, text, (), None).name}: {error}")
            return None

    def _list_values(self, axis: SettingAxis, given: AxisValues) -> tuple[Any, ...]:
        try:
            values = list_values(given)
            _check_values(axis, values)
        except KavgError as error:
            self._errors.append(f"{axis.name}: {error}")
            return ()
        return values


def _check_values(axis: SettingAxis, values: Sequence[Any]) -> None:
    # Its values become gamma, of which messages would speak.
    if axis.is_derived:
        check_effective_steps(values)
