"""Conversion of pydantic's errors to messages: the place, what it needs, what was given."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kavg.config.synonyms import PLACES, canonical_name

BARE_KEY: Final = re.compile(r"[\w-]+")
"""A key that TOML needs no quotes for."""

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
}

EXAMPLES: Final[Mapping[str, str]] = {
    "rounds": "rounds = 200",
    "objective": "objective = { kind = 'cosine', dim = 100 }",
    "oracle": "oracle = { kind = 'gaussian', sigma2 = 1.0 }",
    "algorithm": "[[algorithm]] with P, K, gamma and outer",
    "outer": "outer = { kind = 'averaging' }",
}
"""Examples of the keys that have no default."""


def describe_errors(
    error: ValidationError, data: Mapping[str, Any], keys: Mapping[str, list[str]]
) -> list[str]:
    """Return a line for each error: its place in the file, then what is wrong there.

    ``data`` are the tables that were validated; ``keys`` are the known keys of each table
    (``ModelBuilder.keys``), for suggestions.
    """
    return [_describe_error(detail, data, keys) for detail in error.errors()]


def _describe_error(
    detail: ErrorDetails, data: Mapping[str, Any], keys: Mapping[str, list[str]]
) -> str:
    kind, given, location = detail["type"], detail["input"], detail["loc"]
    where = _format_place(location, data)
    if kind == "extra_forbidden":
        return (
            f"{where}: {_explain_unknown_key(str(location[-1]), _known_keys(location[:-1], keys))}"
        )
    if kind == "missing":
        example = EXAMPLES.get(str(location[-1]))
        return f"{where}: is missing" + (f"; as in {example}" if example else "")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{where}: {_explain_unknown_kind(detail)}"
    if kind == "literal_error":
        return f"{where}: needs one of {detail['ctx']['expected']}, got {shorten_repr(given)}"
    if kind == "value_error":
        return f"{where}: {detail['ctx']['error']}"
    if kind == "too_short":
        return f"{where}: needs at least one entry"
    return f"{where}: {NEEDS.get(kind, detail['msg'])}, got {shorten_repr(given)}"


def _format_place(location: Sequence[str | int], data: Any) -> str:
    # "algorithm.0.gamma": the keys that lead there, without pydantic's names of union members.
    path = []
    for step in location:
        inside = isinstance(data, dict) and step in data
        inside = inside or (isinstance(data, list) and isinstance(step, int))
        if inside or (step == location[-1] and not _is_tag(step, data)):
            path.append(_format_key(step))
            data = data[step] if inside else None
    return ".".join(path) or "the file"


def _format_key(step: str | int) -> str:
    return str(step) if BARE_KEY.fullmatch(str(step)) else repr(step)


def _is_tag(step: str | int, data: Any) -> bool:
    # The last step of a location is either a missing key or the name of a union member.
    tags = {"number", "text", "list", "table"}
    return step in tags or (isinstance(data, dict) and data.get("kind") == step)


def _known_keys(location: Sequence[str | int], keys: Mapping[str, list[str]]) -> list[str]:
    # The keys of the innermost table that the location names.
    for step in reversed(location):
        if str(step) in keys:
            return keys[str(step)]
    return keys[""]


def _explain_unknown_key(name: str, known: Sequence[str]) -> str:
    ours = canonical_name(name)
    close = difflib.get_close_matches(name, known, n=1)
    if ours in known:
        advice = f"use {ours!r}"
    elif ours in PLACES:
        advice = f"{'it belongs to' if ours == name else f'use {ours!r} in'} {PLACES[ours]}"
    elif close:
        advice = f"did you mean {close[0]!r}?"
    else:
        advice = f"known here: {', '.join(known)}"
    return f"there is no key {shorten_repr(name)} here; {advice}"


def _explain_unknown_kind(detail: ErrorDetails) -> str:
    if detail["type"] == "union_tag_not_found":
        given = detail["input"]
        if not isinstance(given, dict):
            return f"needs a table with a kind, got {shorten_repr(given)}"
        foreign = next((key for key in given if canonical_name(key) == "kind"), None)
        if foreign is None:
            return "needs a kind, as in kind = '...'"
        return _explain_unknown_key(foreign, ["kind"])
    tag, expected = detail["ctx"]["tag"], detail["ctx"]["expected_tags"]
    kinds = [kind.strip("' ") for kind in expected.split(",")]
    close = difflib.get_close_matches(tag, kinds, n=1)
    advice = f"did you mean {close[0]!r}? The" if close else "the"
    return f"there is no kind {shorten_repr(tag)}; {advice} kinds are: {', '.join(kinds)}"


def shorten_repr(value: Any) -> str:
    """Return the ``repr`` of a value, truncated to 60 characters.

    >>> shorten_repr("a" * 100) == "'" + "a" * 56 + "..."
    True
    """
    try:
        return shorten(repr(value))
    except RecursionError:  # lists in lists, a thousand deep
        return "a value nested too deeply to be shown"


def shorten(text: str) -> str:
    """Truncate a text to 60 characters."""
    return text if len(text) <= 60 else text[:57] + "..."
