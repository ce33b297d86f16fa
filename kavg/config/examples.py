"""Examples of settings for messages: each is accepted where the message says it is missing."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, Final, get_args, get_origin

from kavg.config.kinds import (
    class_kinds,
    field_default,
    field_key,
    key_hints,
    table_classes,
    to_plain,
)
from kavg.config.samples import EITHER, SAMPLES, WITHOUT_DEFAULT
from kavg.config.tables import required_keys

BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A key that TOML needs no quotes for."""
NUMBER: Final = re.compile(r"[+-]?(\d+\.|\.\d+|\d+\.\d+)([eE][+-]?\d+)?")
"""A number as shells and C write it: TOML wants digits on both sides of the point."""

MOST: Final = 200
"""Characters or numbers of a value of which an example is made."""


def sample_value(cls: type, key: str) -> Any:
    """Return a value that a key of a table accepts, as TOML has it: the default, or a usual one.

    >>> from kavg.outer import SlowMo
    >>> sample_value(SlowMo, "mu"), sample_value(SlowMo, "alpha"), sample_value(SlowMo, "kind")
    (0.5, 1.0, 'slowmo')
    """
    if key == "kind":
        return class_kinds(cls)[0]
    if key in SAMPLES:
        return SAMPLES[key]
    default = next(field_default(f) for f in dataclasses.fields(cls) if field_key(f) == key)
    if default is not ... and default not in (None, ()):
        return to_plain(default)
    if key in WITHOUT_DEFAULT:
        return WITHOUT_DEFAULT[key]
    hint = key_hints(cls)[key]
    if classes := table_classes(hint):
        table = smallest_table(classes[0])
        return [table] if get_origin(hint) is tuple else table
    return _sample_of_type(hint)


def _sample_of_type(hint: Any) -> Any:
    members = get_args(hint) or (hint,)
    samples = {int: 1, float: 1.0, str: "text", bool: True}
    if isinstance(members[0], str):  # one of several texts
        return members[0]
    found = next((samples[member] for member in members if member in samples), None)
    if found is None:  # a list, or nothing in its place
        lists = [member for member in members if get_origin(member) is tuple]
        return _sample_of_type(lists[0]) if lists else 1
    return [found] if ... in members else found


def smallest_table(cls: type) -> dict[str, Any]:
    """Return a table of a class with the keys that it needs, one at least, and their samples.

    >>> from kavg.objectives import Cosine
    >>> smallest_table(Cosine)
    {'kind': 'cosine', 'dim': 100}
    """
    kind = {"kind": class_kinds(cls)[0]} if class_kinds(cls) else {}
    # Where nothing is required, not even a kind, one key shows what such a table is for.
    keys = required_keys(cls) or ([] if kind else [*key_hints(cls)][:1])
    keys += [key for key in EITHER.get(cls, ())[:1] if key not in keys]
    return kind | {key: sample_value(cls, key) for key in keys}


def table_with(cls: type, key: str) -> dict[str, Any]:
    """Return a table of a class with a key, its sample, and the other keys that it needs.

    >>> from kavg.config.sweeps.tables import BudgetTable
    >>> table_with(BudgetTable, "time")
    {'time': 1000.0}
    """
    either = EITHER.get(cls, ())
    others = smallest_table(cls).items()
    kept = {name: value for name, value in others if key not in either or name not in either}
    return kept | {key: sample_value(cls, key)}


def example_like(
    given: Any, cls: type, key: str, accepts: Callable[[Any], bool]
) -> tuple[Any, bool]:
    """Return a value that a key accepts, and whether it was made of the ``given`` one.

    ``accepts`` tests a value.  Tried are the number in a text, the whole number a float equals, a
    text for anything else, a list of one, the table of a kind that is named, and a table that has
    the value at one of its keys.
    """
    hint = key_hints(cls).get(key)
    for candidate in _similar_values(given, hint):
        if accepts(candidate):
            return candidate, True
    return sample_value(cls, key), False


def _similar_values(given: Any, hint: Any) -> Iterator[Any]:
    if isinstance(given, (str, list)) and len(given) > MOST:
        return
    if isinstance(given, str):
        yield parse_value(given.strip())
        yield parse_value(given.strip().lower())
    if isinstance(given, float) and given.is_integer():
        yield int(given)
    if isinstance(given, (bool, int, float)):
        yield format_value(given)
    if isinstance(given, list):
        yield from given if len(given) == 1 else ()
        yield [parse_value(part) if isinstance(part, str) else part for part in given]
    yield [given]
    for cls in table_classes(hint):
        smallest = smallest_table(cls)
        if isinstance(given, str) and given in class_kinds(cls):
            yield smallest | {"kind": given}
        if isinstance(given, dict):
            yield smallest | given
    # A wrong number where a number would do is no key of a table.
    is_number = isinstance(given, (int, float)) and bool({int, float} & {*get_args(hint)})
    for cls in () if is_number else table_classes(hint):
        for key in key_hints(cls):
            yield smallest_table(cls) | {key: given}


def parse_value(text: str) -> Any:
    """Return the value of a text as TOML reads it, or as a shell's number; else the text itself.

    >>> parse_value("4"), parse_value(".5"), parse_value("[1, 2]"), parse_value("exact")
    (4, 0.5, [1, 2], 'exact')
    """
    if NUMBER.fullmatch(text):
        return float(text)
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # A line break in the text may have begun another key.
    return parsed["value"] if len(parsed) == 1 else text


def format_setting(key: str, value: Any) -> str:
    """Return a key and its value as a line of TOML.

    >>> format_setting("outer", {"kind": "averaging"})
    'outer = { kind = "averaging" }'
    """
    return f"{format_key(key)} = {format_value(value)}"


def format_key(key: str) -> str:
    """Return a key as TOML writes it, in quotes if it needs them."""
    return key if BARE_KEY.fullmatch(key) else format_text(key)


def format_text(text: str) -> str:
    """Return a text in the double quotes of TOML."""
    # JSON leaves this control character as it is, which TOML forbids.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_value(value: Any) -> str:
    """Return a value of TOML on one line.

    >>> format_value(True), format_value([0.5, "a"]), format_value({})
    ('true', '[0.5, "a"]', '{}')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return format_text(value)
    if isinstance(value, dict):
        pairs = ", ".join(format_setting(key, inner) for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(format_value, value))}]"
    return str(value)
