"""The places of a settings file that ``--set PLACE=VALUE`` can change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from kavg.config.config import Config
from kavg.config.kinds import KINDS, NAMES, concrete_classes, field_key
from kavg.config.models import IN_PYTHON_ONLY
from kavg.problem import Algorithm

Tables = Mapping[str, Any]


def setting_places(tables: Tables) -> list[str]:
    """List all places, for the kinds and the algorithms that the tables of a file name.

    Keys of all kinds are listed where no kind is given.  Algorithms are selected by their names,
    by their numbers if a name is missing or has a dot, or by ``*``, which means all of them.

    >>> places = setting_places({"objective": {"kind": "cosine"}, "algorithm": [{"name": "M-AVG"}]})
    >>> [place for place in places if place.startswith("objective")]
    ['objective.kind', 'objective.dim', 'objective.lam', 'objective.A', 'objective.omega']
    >>> "algorithm.M-AVG.outer.mu" in places
    True
    """
    return list(dict.fromkeys(_fields(Config, tables, "")))


def _fields(cls: type, table: Tables, prefix: str) -> Iterator[str]:
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):
        key = field_key(field)
        yield from _values(hints[field.name], table.get(key), f"{prefix}{key}")


def _values(hint: Any, value: object, place: str) -> Iterator[str]:
    """The places in a value: itself, the keys of its table, or both where it may be either."""
    if hint == tuple[Algorithm, ...]:
        for selector, table in _select_algorithms(value):
            yield from _fields(Algorithm, table, f"{place}.{selector}.")
        return
    members = [each for each in get_args(hint) or (hint,) if each not in IN_PYTHON_ONLY]
    is_choice = len(members) > 1
    for member in members:
        kinds = _named_kinds(member)
        # Where a number would do too (gamma, start), kinds are listed only if the file has a table.
        if kinds and (isinstance(value, dict) or not is_choice):
            yield from _kind_fields(kinds, value, place)
        elif not kinds and dataclasses.is_dataclass(member) and isinstance(member, type):
            yield from _fields(member, value if isinstance(value, dict) else {}, f"{place}.")
    if is_choice or not (_named_kinds(hint) or dataclasses.is_dataclass(hint)):
        yield place


def _named_kinds(hint: Any) -> Mapping[str, type]:
    """The kinds of a table with a ``kind``; empty for any other value."""
    if hint in KINDS:
        return KINDS[hint]
    classes = concrete_classes(hint) if isinstance(hint, type) else [hint]
    return {} if classes == [hint] else {NAMES[cls]: cls for cls in classes}


def _kind_fields(kinds: Mapping[str, type], value: object, place: str) -> Iterator[str]:
    table = value if isinstance(value, dict) else {}
    kind = table.get("kind")
    classes = [kinds[kind]] if isinstance(kind, str) and kind in kinds else kinds.values()
    yield f"{place}.kind"
    for cls in classes:
        yield from _fields(cls, table, f"{place}.")


def _select_algorithms(value: object) -> Iterator[tuple[str, Tables]]:
    yield "*", {}
    for i, table in enumerate(value if isinstance(value, list) else []):
        if isinstance(table, dict):
            name = str(table.get("name", ""))
            yield (name if name.strip() and "." not in name else str(i)), table
