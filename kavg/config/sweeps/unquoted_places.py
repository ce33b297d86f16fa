"""Advice on a place of a sweep that was written without quotes, which TOML takes for tables."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final

from kavg.config.examples import format_setting
from kavg.config.sweeps.spacing import FORMS
from kavg.config.tables import Place
from kavg.text import shorten, shorten_repr

PARTS: Final = ("algorithm", "objective", "oracle", "start")
"""The keys of a settings file whose tables have settings to vary."""


def explain_unquoted_place(place: Place, value: Any) -> str | None:
    """Return what to write in place of ``objective.dim = [1, 2]``, whose last key is at ``place``.

    None if the key is rather a misspelled form of spacing.

    >>> explain_unquoted_place(("sweep", "grid", "objective", "dim"), [1, 2])
    'a place needs quotes: "objective.dim" = [1, 2]'
    >>> explain_unquoted_place(("sweep", "grid", "start", "lg2"), [1, 2])
    """
    first, key = str(place[-2]), str(place[-1])
    if first not in PARTS or difflib.get_close_matches(key, FORMS, n=1):
        return None
    *keys, (last, found) = _list_keys(key, value)
    names = [name for name, _ in keys] or (["*"] if first == "algorithm" else [])
    path = ".".join([first, *names, last])
    if not isinstance(found, list | dict):
        return f"a place needs quotes, and a list or a table of values, got {shorten_repr(found)}"
    return f"a place needs quotes: {shorten(format_setting(path, found))}"


def _list_keys(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The keys of tables inside one another, each with its value."""
    yield key, value
    if isinstance(value, dict) and len(value) == 1 and not {*value} <= {*FORMS}:
        for inner, found in value.items():
            yield from _list_keys(inner, found)
