"""Names of recorded quantities: readable, and not those of something else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from kavg.base import Measure, RoundMeasure
from kavg.conversion import is_row, to_row
from kavg.errors import KavgError
from kavg.measures import make_measure
from kavg.protocols import missing_members
from kavg.ranges import check_range
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory

Recordable = str | RoundMeasure | Mapping[str, Measure]
"""What a list of what is to be recorded has: names, measures of rounds, functions by name."""
TAKEN: Final = frozenset(
    {
        *dir(Trajectory),
        *(field.name for field in fields(Trajectory)),
        *("point", "algorithm", "rule", "mu", "gamma", "replica", "round", "step"),
    }
)
"""Attributes of a trajectory, under which its series are read too, and columns of its tables."""


def merge_measures(
    standard: Mapping[str, Callable[..., Any]], further: Any, of: str
) -> dict[str, Callable[..., Any]]:
    """Return the measures of both; ``further`` are those of a user, ``of`` their place.

    Raises KavgError if a name is taken or not readable text, or if a measure cannot be called.

    >>> merge_measures({"F": abs}, {"F": max}, "record")
    Traceback (most recent call last):
    kavg.errors.KavgError: the name 'F' in record is taken; give the measure another
    """
    named = check_range(Mapping[str, Callable[..., Any]], of, further)
    merged = dict(standard)
    for name, measure in named.items():
        _check_name(name, of, taken={*TAKEN, *standard})
        if not callable(measure):
            raise KavgError(
                f"{of}[{name!r}] must be a function such as lambda n, w: w[:, 0], got "
                f"{shorten_repr(measure)}"
            )
        merged[str(name)] = measure
    return merged


def _check_name(name: Any, of: str, taken: set[str]) -> None:
    if not isinstance(name, str) or not name.isprintable() or name.strip() != name or not name:
        raise KavgError(
            f"names in {of} must be readable text such as 'distance', got {shorten_repr(name)}"
        )
    if name in taken or name.startswith("__"):
        raise KavgError(f"the name {name!r} in {of} is taken; give the measure another")


def check_series_names(measures: Sequence[RoundMeasure], taken: Collection[str]) -> tuple[str, ...]:
    """Return the names of the series of some measures of rounds, in their order.

    Raises KavgError if one is taken, by another of them as well, or is not readable text.
    """
    used, names = {*TAKEN, *taken}, []
    for measure in measures:
        for name in measure.names:
            _check_name(name, "record", taken=used)
            names.append(str(name))
            used.add(names[-1])
    return tuple(names)


def part_record(record: object) -> tuple[dict[str, Measure], tuple[RoundMeasure, ...]]:
    """Return the functions of ``(n, w)`` in what a user asks to record, and the measures of rounds.

    Raises KavgError if it is no mapping of functions and no list of such mappings, of measures of
    rounds and of names of these.

    >>> part_record(["sharpness"])
    ({}, (Sharpness(tolerance=0.0001, iterations=200),))
    """
    if not is_row(record):
        given = {} if record is None else record
        return dict(check_range(Mapping[str, Callable[..., Any]], "record", given)), ()
    functions: dict[str, Measure] = {}
    measures: list[RoundMeasure] = []
    for i, one in enumerate(to_row(record)):
        if isinstance(one, Mapping):
            functions |= one
        elif isinstance(one, str):
            measures.append(make_measure(one))
        elif missing_members(RoundMeasure, one) or isinstance(one, type):
            raise KavgError(
                f"record[{i}] must be a measure of kavg.measures, the name of one or a dict such "
                f"as {{'first': lambda n, w: w[:, 0]}}, got {shorten_repr(one)}"
            )
        else:
            measures.append(one)
    return functions, tuple(measures)
