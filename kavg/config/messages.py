"""Faults of a settings file in words: the place, what was given, what is needed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from kavg.config.synonyms import HOMES, our_name

BARE: Final = re.compile(r"[\w-]+")
"""A key that needs no quotes."""


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

AS_IN: Final[Mapping[str, str]] = {
    "rounds": "rounds = 200",
    "objective": "objective = { kind = 'cosine', dim = 100 }",
    "oracle": "oracle = { kind = 'gaussian', sigma2 = 1.0 }",
    "algorithm": "[[algorithm]] with P, K, gamma and outer",
    "outer": "outer = { kind = 'averaging' }",
}
"""Examples of what a beginner leaves out."""


def faults(
    error: ValidationError, data: Mapping[str, Any], keys: Mapping[str, list[str]]
) -> list[str]:
    """One line a fault; ``keys`` are the known keys of each table."""
    return [sentence(fault, data, keys) for fault in error.errors()]


def sentence(fault: Any, data: Mapping[str, Any], keys: Mapping[str, list[str]]) -> str:
    """The place, then what is wrong there."""
    kind, given, location = fault["type"], fault["input"], fault["loc"]
    where = place(location, data)
    if kind == "extra_forbidden":
        return f"{where}: {unknown_key(str(location[-1]), known_keys(location[:-1], keys))}"
    if kind == "missing":
        example = AS_IN.get(str(location[-1]))
        return f"{where}: is missing" + (f"; as in {example}" if example else "")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{where}: {unknown_kind(fault)}"
    if kind == "literal_error":
        return f"{where}: needs one of {fault['ctx']['expected']}, got {shown(given)}"
    if kind == "value_error":
        return f"{where}: {fault['ctx']['error']}"
    if kind == "too_short":
        return f"{where}: needs at least one entry"
    return f"{where}: {NEEDS.get(kind, fault['msg'])}, got {shown(given)}"


def place(location: Sequence[str | int], data: Any) -> str:
    """``algorithm.0.gamma``: the keys that lead there, without pydantic's names of alternatives."""
    path = []
    for step in location:
        inside = isinstance(data, dict) and step in data
        inside = inside or (isinstance(data, list) and isinstance(step, int))
        if inside or (step == location[-1] and not is_tag(step, data)):
            path.append(spelled(step))
            data = data[step] if inside else None
    return ".".join(path) or "the file"


def spelled(step: str | int) -> str:
    """A key as it is, or in quotes if it would not read as a key."""
    return str(step) if BARE.fullmatch(str(step)) else repr(step)


def is_tag(step: str | int, data: Any) -> bool:
    """Is the last step of a location the name of an alternative and not a missing key?"""
    tags = {"number", "text", "list", "table"}
    return step in tags or (isinstance(data, dict) and data.get("kind") == step)


def known_keys(location: Sequence[str | int], keys: Mapping[str, list[str]]) -> list[str]:
    """The keys of the innermost table named in a location."""
    for step in reversed(location):
        if str(step) in keys:
            return keys[str(step)]
    return keys[""]


def unknown_key(name: str, known: Sequence[str]) -> str:
    """What to write instead of a key that does not exist here."""
    ours = our_name(name)
    close = difflib.get_close_matches(name, known, n=1)
    if ours in known:
        advice = f"use {ours!r}"
    elif ours in HOMES:
        advice = f"{'it belongs to' if ours == name else f'use {ours!r} in'} {HOMES[ours]}"
    elif close:
        advice = f"did you mean {close[0]!r}?"
    else:
        advice = f"known here: {', '.join(known)}"
    return f"there is no key {shown(name)} here; {advice}"


def unknown_kind(fault: Any) -> str:
    """What kinds there are."""
    expected = fault["ctx"].get("expected_tags", "")
    if fault["type"] == "union_tag_not_found":
        given = fault["input"]
        if not isinstance(given, dict):
            return f"needs a table with a kind, got {shown(given)}"
        foreign = next((key for key in given if our_name(key) == "kind"), None)
        return unknown_key(foreign, ["kind"]) if foreign else "needs a kind, as in kind = '...'"
    tag, kinds = fault["ctx"]["tag"], [word.strip("' ") for word in expected.split(",")]
    close = difflib.get_close_matches(tag, kinds, n=1)
    advice = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no kind {shown(tag)}; {advice}There are: {', '.join(kinds)}"


def shown(value: Any) -> str:
    """A value, shortened."""
    try:
        return shortened(repr(value))
    except RecursionError:
        return "something deeper than can be shown"


def shortened(text: str) -> str:
    """A text as far as 60 letters go."""
    return text if len(text) <= 60 else text[:57] + "..."
