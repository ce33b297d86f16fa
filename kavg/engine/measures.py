"""Names of recorded quantities: readable, and not those of something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from kavg.errors import KavgError
from kavg.ranges import check_range
from kavg.text import shorten_repr
from kavg.trajectory import Trajectory

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
