"""Conversion of pydantic's errors to messages: the place, what it needs, what was given."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any, Final, final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from kavg.config.advice import all_keys, explain_unknown_key, name_place
from kavg.config.examples import example_like, format_key, format_setting, sample_value
from kavg.config.sweeps.spacing import Spacing
from kavg.config.sweeps.unquoted_places import explain_unquoted_place
from kavg.config.synonyms import possible_meanings
from kavg.config.tables import Place, Table, possible_tables, tables_in_file
from kavg.text import shorten, shorten_repr

NEEDS: Final[Mapping[str, str]] = {
    "int_type": "needs a whole number",
    "int_from_float": "needs a whole number",
    "float_type": "needs a number",
    "string_type": "needs text in quotes",
    "bool_type": "needs true or false",
    "tuple_type": "needs a list",
    "list_type": "needs a list",
    "model_type": "needs a table",
    "model_attributes_type": "needs a table",
    "finite_number": "needs a finite number",
    "less_than": "needs a whole number below 2^63",
    "greater_than_equal": "needs a whole number of at least -2^63",
    "too_short": "needs at least one entry",
}
LISTS_OF_TABLES: Final[tuple[Place, ...]] = (("algorithm",), ("sweep", "stage"))
LONGEST: Final = 160
"""Characters of an example made of what was given; a longer one is replaced by a usual one."""

Types = Mapping[type, Mapping[str, Any]]


def explain_errors(
    error: ValidationError, content: Mapping[str, Any], types: Types, inside: Place = ()
) -> Iterator[tuple[Place, str]]:
    """Yield each error: its place in the file, and what is wrong there.

    ``content`` is the whole file, of which the table at ``inside`` was validated; ``types`` are the
    types of the keys of each class (``ModelBuilder.types``), with which examples are tested.
    """
    report = Report(content, types)
    return (report.explain(detail, inside) for detail in error.errors())


def describe_errors(
    error: ValidationError, content: Mapping[str, Any], types: Types
) -> Iterator[str]:
    """Yield a line for each error (``explain_errors``): ``algorithm.0.K: needs ...``."""
    return (describe_error(*found) for found in explain_errors(error, content, types))


def describe_error(place: Place, text: str) -> str:
    """Return the line for an error at a place."""
    return f"{format_steps(place)}: {text}"


@final
@dataclass(frozen=True)
class Report:
    """The content of a settings file and the types it was validated against."""

    content: Mapping[str, Any]
    types: Types

    @cached_property
    def tables(self) -> dict[Place, Table]:
        """The tables of the file by their places."""
        return {table.place: table for table in tables_in_file(self.content)}

    def explain(self, detail: ErrorDetails, inside: Place = ()) -> tuple[Place, str]:
        """Return the place of one error in the file, and what is wrong there."""
        place = find_place((*inside, *detail["loc"]), self.content)
        return place, self._explain(detail, place)

    def _explain(self, detail: ErrorDetails, place: Place) -> str:
        kind, given = detail["type"], detail["input"]
        if kind == "value_error":
            return str(detail["ctx"]["error"])
        if kind == "extra_forbidden":
            table = self._innermost_table(place[:-1])
            unquoted = explain_unquoted_place(place, given) if table.cls is Spacing else None
            if unquoted is not None:
                return unquoted
            return explain_unknown_key(str(place[-1]), table, [*self.tables.values()])
        if kind == "union_tag_invalid":
            return _explain_unknown_kind(detail)
        if kind == "missing":
            return f"is missing; as in {self._example(place, ...)}"
        if kind == "union_tag_not_found":
            return self._explain_missing_kind(place, given)
        if kind == "literal_error":
            need = f"needs one of {detail['ctx']['expected']}"
        else:
            need = NEEDS.get(kind, detail["msg"])
        got = f"{need}, got {shorten_repr(given)}"
        if place in LISTS_OF_TABLES and isinstance(given, dict):
            name = ".".join(map(str, place))
            return f"{got}; write [[{name}]], in double brackets, in place of [{name}]"
        # An error of the file as a whole, such as a key that is no text, has no key for an example.
        return f"{got}; as in {self._example(place, given)}" if place else got

    def _explain_missing_kind(self, place: Place, given: Any) -> str:
        if not isinstance(given, dict):
            example = self._example(place, given)
            return f"needs a table with a kind, got {shorten_repr(given)}; as in {example}"
        foreign = next((k for k in given if "kind" in possible_meanings(k, all_keys())), None)
        if foreign is not None:
            return f"there is no key {shorten_repr(foreign)} here; use 'kind'"
        return f"needs a kind, as in {self._example(place, given)}"

    def _example(self, place: Place, given: Any) -> str:
        """A line of TOML that is accepted at a place, like what was given if that is short."""
        outer, key = self._field_at(place)

        def accepts(value: Any) -> bool:
            with suppress(ValueError, RecursionError, OverflowError):
                TypeAdapter(self.types[outer.cls][key]).validate_python(value)
                return True
            return False

        # What stands deeper than the key, in a list, has no example of its own.
        whole = self._value_at((*outer.place, key)) if given is not ... else ...
        value, is_like_given = example_like(whole, outer.cls, key, accepts)
        text = format_setting(key, value)
        if is_like_given and len(text) > LONGEST:
            return format_setting(key, sample_value(outer.cls, key))
        return text

    def _innermost_table(self, place: Place) -> Table:
        n = next(n for n in range(len(place), -1, -1) if place[:n] in self.tables)
        return self.tables[place[:n]]

    def _field_at(self, place: Place) -> tuple[Table, str]:
        """The innermost table around a place, and its key that leads there."""
        outer = self._innermost_table(place[:-1])
        while outer.outer is not None and str(place[len(outer.place)]) not in outer.keys:
            outer = outer.outer
        return outer, str(place[len(outer.place)])

    def _value_at(self, place: Place) -> Any:
        value: Any = self.content
        for step in place:
            value = value[step]
        return value


def find_place(location: Sequence[str | int], content: Any) -> Place:
    """Return the keys that lead to an error, without pydantic's names of union members.

    >>> find_place(("start", "table", "normal", "scale"), {"start": {"kind": "normal"}})
    ('start', 'scale')
    """
    place: list[str | int] = []
    is_told = False  # the kind of the table has been passed
    for number, step in enumerate(location, start=1):
        # A table's kind stands before its keys, of which one may have the same name.
        is_kind = isinstance(content, dict) and content.get("kind") == step and not is_told
        if number < len(location) and is_kind:
            is_told = True
            continue
        inside = isinstance(content, dict) and step in content
        inside = inside or (isinstance(content, list) and isinstance(step, int))
        if inside or (number == len(location) and (is_told or not _is_tag(step, content))):
            place.append(step)
            content, is_told = (content[step] if inside else None), False
    return tuple(place)


def format_steps(place: Place) -> str:
    """Return a place as a message shows it: ``algorithm.0.gamma``."""
    return ".".join(shorten(_format_step(step)) for step in place) or "the file"


def _format_step(step: str | int) -> str:
    key = str(step)
    return key if format_key(key) == key else shorten_repr(key)


def _is_tag(step: str | int, content: Any) -> bool:
    # The last step of a location is either a missing key or the name of a union member.
    tags = {"number", "text", "list", "table"}
    return step in tags or (isinstance(content, dict) and content.get("kind") == step)


def _explain_unknown_kind(detail: ErrorDetails) -> str:
    tag, expected = str(detail["ctx"]["tag"]), detail["ctx"]["expected_tags"]
    kinds = [kind.strip("' ") for kind in expected.split(",")]
    close = difflib.get_close_matches(tag[:100], kinds, n=1)
    paths = [t.path for t in possible_tables() if tag in t.kinds]
    advice = f"did you mean {close[0]!r}? The" if close else "the"
    if paths and not close:
        # Of several families that have it, the nearest.
        nearest = min(paths, key=lambda path: (-_count_shared(path, detail["loc"]), len(path)))
        advice = f"it is one of {name_place(nearest)}; the"
    return f"there is no kind {shorten_repr(tag)}; {advice} kinds are: {', '.join(kinds)}"


def _count_shared(path: Place, location: tuple[str | int, ...]) -> int:
    """The number of keys, from the top of the file, by which both begin."""
    keys = [step for step in location if isinstance(step, str)]
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, keys, strict=False)))
