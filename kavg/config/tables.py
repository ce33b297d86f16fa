"""The tables of a settings file: those that a file has, and all that one may have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

from kavg.config.config import Config
from kavg.config.kinds import (
    class_kinds,
    field_default,
    field_key,
    key_hints,
    rest_hint,
    table_classes,
)
from kavg.config.samples import EITHER

Place = tuple[str | int, ...]
"""The keys that lead to a value, with numbers for the entries of lists."""


@final
@dataclass(frozen=True)
class Table:
    """A table at a place of a settings file, the class it is converted to, and its content.

    ``outer`` is the table it stands in, None for the whole file.  ``content`` is empty for a table
    that the file does not have.
    """

    place: Place
    cls: type
    content: Mapping[str, Any]
    outer: Table | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The values that its ``kind`` may have, none where it has no ``kind``."""
        return class_kinds(self.cls)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that the table may have."""
        hints = key_hints(self.cls)
        return (*(("kind",) if self.kinds and "kind" not in hints else ()), *hints)

    @property
    def path(self) -> tuple[str, ...]:
        """The place without the numbers of entries."""
        return tuple(step for step in self.place if isinstance(step, str))


def tables_in_file(content: Mapping[str, Any]) -> list[Table]:
    """List the tables of a settings file whose kinds are known, each before those inside it.

    >>> file = {"objective": {"kind": "cosine", "dim": 2}, "algorithm": [{"outer": {}}]}
    >>> [table.place for table in tables_in_file(file)]
    [(), ('objective',), ('algorithm', 0)]
    """
    return list(_tables_inside(Table((), Config, content)))


def _tables_inside(table: Table) -> Iterator[Table]:
    yield table
    hints, rest = key_hints(table.cls), rest_hint(table.cls)
    for key, hint in hints.items():
        value = table.content.get(key)
        parts = enumerate(value) if isinstance(value, list) else [(None, value)]
        for number, part in parts:
            yield from _table_at((key,) if number is None else (key, number), part, hint, table)
    for key in table.content if rest is not None else ():
        if key not in hints:
            yield from _table_at((key,), table.content[key], rest, table)


def _table_at(steps: Place, content: object, hint: Any, outer: Table) -> Iterator[Table]:
    if isinstance(content, dict) and (cls := _class_of(content, hint)) is not None:
        yield from _tables_inside(Table((*outer.place, *steps), cls, content, outer))


def _class_of(content: Mapping[str, Any], hint: Any) -> type | None:
    """The class of a table at a field with this annotation, None if its kind is unknown."""
    kind, classes = content.get("kind"), table_classes(hint)
    found = (cls for cls in classes if kind in class_kinds(cls) or not class_kinds(cls))
    return next(found, None)


def tables_by_default(table: Table) -> Iterator[Table]:
    """List the tables inside a table that it does not have and that need no key to be there."""
    for key, hint in key_hints(table.cls).items():
        for cls in table_classes(hint) if key not in table.content else ():
            if not (class_kinds(cls) or required_keys(cls) or cls in EITHER):
                yield Table((*table.place, key), cls, {}, table)


def required_keys(cls: type) -> list[str]:
    """Return the keys of a table that have no default, without ``kind``."""
    return [field_key(f) for f in dataclasses.fields(cls) if field_default(f) is ...]


@cache
def possible_tables() -> tuple[Table, ...]:
    """Return every table that a settings file may have, of every kind, without any content.

    A table inside tables of several kinds is listed once for each.

    >>> {table.path for table in possible_tables() if table.path[:1] == ("algorithm",)} == {
    ...     ("algorithm",),
    ...     ("algorithm", "K"),
    ...     ("algorithm", "K", "then"),
    ...     ("algorithm", "gamma"),
    ...     ("algorithm", "gamma", "then"),
    ...     ("algorithm", "outer"),
    ...     ("algorithm", "optimizer"),
    ...     ("algorithm", "aggregation"),
    ... }
    True
    """
    return tuple(_possible_inside(Table((), Config, {})))


def _possible_inside(table: Table) -> Iterator[Table]:
    yield table
    for key, hint in key_hints(table.cls).items():
        for cls in table_classes(hint):
            yield from _possible_inside(Table((*table.place, key), cls, {}, table))


def find_table(content: Mapping[str, Any], place: Place) -> tuple[Table, Place]:
    """Return the innermost table on the way to a place of a file, and the steps inside it.

    >>> table, steps = find_table({"objective": {"kind": "cosine"}}, ("objective", "lam"))
    >>> table.place, steps
    (('objective',), ('lam',))
    """
    tables = {table.place: table for table in tables_in_file(content)}
    n = next(n for n in range(len(place) - 1, -1, -1) if place[:n] in tables)
    return tables[place[:n]], place[n:]


def is_setting(content: Mapping[str, Any], place: Place) -> bool:
    """True if a file can have a value at a place, by the kinds of its tables.

    >>> file = {"algorithm": [{"gamma": 0.1, "outer": {"kind": "averaging"}}]}
    >>> [is_setting(file, ("algorithm", 0, *rest)) for rest in (("K",), ("outer", "mu"))]
    [True, False]
    """
    table, (key, *inner) = find_table(content, place)
    if key not in table.keys:
        return False
    value = table.content.get(str(key))
    for step in inner:
        if not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return False
        value = value[step]
    return True
