"""Advice on a key that its table does not have: its name in kavg, or where it belongs.

Whoever follows the advice, by renaming the key, moving it or choosing another kind, gets settings
in which the key is accepted.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from functools import cache
from inspect import getattr_static
from typing import Final

from kavg.config.examples import format_setting, table_with
from kavg.config.methods import KEY as METHOD
from kavg.config.synonyms import possible_meanings
from kavg.config.tables import Place, Table, possible_tables, tables_by_default
from kavg.text import shorten_repr

ALGORITHM: Final[Place] = ("algorithm",)
MOST: Final = 3
"""Places that are named at most."""


@cache
def all_keys() -> frozenset[str]:
    """Return every key of every table that a settings file may have."""
    return frozenset(key for table in possible_tables() for key in table.keys)


def explain_unknown_key(name: str, table: Table, file: Sequence[Table]) -> str:
    """Return what to do about a key that a table does not have; ``file`` are all tables there are.

    The first that applies is advised: rename the key, move it to a table of the file that has it,
    choose another kind for this table, add the table that has it.

    >>> from kavg.config.tables import tables_in_file
    >>> file = tables_in_file({"objective": {"kind": "rosenbrock"}, "algorithm": [{"K": 2}]})
    >>> explain_unknown_key("tau", file[0], file)
    "there is no key 'tau' here; use 'K' in [[algorithm]], where it is given already"
    >>> explain_unknown_key("dim", file[1], file)  # doctest: +ELLIPSIS
    "kind 'rosenbrock' has no key 'dim' (its dim is 2); use kind 'cosine', ... or ..."
    """
    here = f"there is no key {shorten_repr(name)} here"
    if name == METHOD:
        return f"{here}; it belongs to {name_place(ALGORITHM)}"
    meanings = possible_meanings(name, all_keys(), next(iter(table.kinds), None))
    for key in meanings:
        if key in table.keys:
            given = f", which is given already: leave {shorten_repr(name)} out"
            # A number that is a method's own is not given, and may be replaced.
            own = getattr(table.content, "given", table.content)
            return f"{here}; use {key!r}{given if key in own else ''}"
    for key in meanings:
        if kinds := _kinds_with(key, table):
            return _advise_other_kind(name, key, table, kinds)
        if advice := _advise_move(name, key, table, file):
            return f"{here}; {advice}"
    # Only now, as a table that is there already is likelier to be meant.
    if meanings:
        return f"{here}; {_advise_new_table(name, meanings[0])}"
    # Algorithms are converted after their methods have been written out.
    known = (*table.keys, METHOD) if table.path == ALGORITHM else table.keys
    close = difflib.get_close_matches(name[:100], known, n=1)
    return f"{here}; " + (
        f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    )


def _kinds_with(key: str, table: Table) -> list[str]:
    """The kinds of the same table that have a key."""
    alike = [t for t in possible_tables() if t.path == table.path and key in t.keys]
    return list(dict.fromkeys(kind for each in alike for kind in each.kinds))


def _advise_other_kind(name: str, key: str, table: Table, kinds: Sequence[str]) -> str:
    called = "" if key == name else f", which is {key!r} in kavg"
    kind = repr(table.content.get("kind", table.kinds[0]))
    fact = _describe_attribute(table.cls, key)
    return (
        f"kind {kind} has no key {shorten_repr(name)}{called}{fact}; "
        f"use kind {_join_alternatives(map(repr, kinds))}, or leave it out; "
        f"known here: {', '.join(table.keys)}"
    )


def _describe_attribute(cls: type, key: str) -> str:
    """The value of what is a key of other kinds, where all instances share it."""
    if not hasattr(cls, key):
        return ""
    if not isinstance(getattr_static(cls, key), property):
        return f" (its {key} is {getattr(cls, key)})"
    if dataclasses.fields(cls):
        return f" (its {key} follows from its other keys)"
    return f" (its {key} is {getattr(cls(), key)})"


def _advise_move(name: str, key: str, table: Table, file: Sequence[Table]) -> str | None:
    """Advice where another table of the file has the key."""
    homes = [each for each in _tables_nearby(table, file) if key in each.keys]
    if key == "kind":
        homes = _of_this_kind(table.content.get(name), homes)
    if not homes:
        return None
    given = ", where it is given already" if all(key in t.content for t in homes) else ""
    names = dict.fromkeys(_name_table(home, file) for home in homes)
    return f"{_use(name, key)} {_join_alternatives([*names][:MOST])}{given}"


def _advise_new_table(name: str, key: str) -> str:
    """Advice where only tables have the key that the file has not, or not of this kind."""
    groups: dict[Place, list[Table]] = {}
    for each in possible_tables():
        if key in each.keys:
            groups.setdefault(each.path, []).append(each)
    names = [_name_kinds(path, tables) for path, tables in groups.items()]
    example = _example_with(key, next(iter(groups.values()))[0])
    return f"{_use(name, key)} {_join_alternatives(names[:MOST])}, as in {example}"


def _use(name: str, key: str) -> str:
    return "it belongs to" if key == name else f"use {key!r} in"


def _of_this_kind(kind: object, tables: Sequence[Table]) -> list[Table]:
    """The tables that may be of a kind, all of them if none may."""
    paths = {each.path for each in possible_tables() if kind in each.kinds}
    return [each for each in tables if each.path in paths] or [*tables]


def _example_with(key: str, table: Table) -> str:

    return format_setting(str(table.place[-1]), table_with(table.cls, key))


def _tables_nearby(table: Table, file: Sequence[Table]) -> list[Table]:
    """The tables of the file, and those to add to them; of algorithms, the one that matters."""
    both = [near for each in file for near in (each, *tables_by_default(each))]
    if table.place[:1] != ("algorithm",):
        return both
    return [near for near in both if near.place[:1] != ("algorithm",) or _is_same(near, table)]


def _is_same(near: Table, table: Table) -> bool:
    return near.place[:2] == table.place[:2]


def _name_table(table: Table, file: Sequence[Table]) -> str:
    # Where algorithms differ in their kinds, only some of them have the key.
    alike = [each for each in file if each.path == table.path]
    if table.place[:1] == ("algorithm",) and any(each.cls is not table.cls for each in alike):
        return ".".join(map(str, table.place))
    return name_place(table.path)


def _name_kinds(path: Place, tables: Sequence[Table]) -> str:
    """A place with the kinds of which it must be, its own or that of the table it stands in."""
    kinds = [kind for t in tables if t.outer for kind in (t.kinds or t.outer.kinds)]
    ours = _join_alternatives(map(repr, kinds)) if kinds else ""
    return f"{name_place(path)} of kind {ours}" if ours else name_place(path)


def name_place(path: Place) -> str:
    """Return the name of a table in a message, as a settings file writes it.

    >>> name_place(()), name_place(("algorithm",)), name_place(("algorithm", "outer"))
    ('the top of the file', '[[algorithm]]', 'outer of [[algorithm]]')
    """
    if not path:
        return "the top of the file"
    first, *inner = map(str, path)
    header = f"[[{first}]]" if first == "algorithm" else f"[{first}]"
    return f"{'.'.join(inner)} of {header}" if inner else header


def _join_alternatives(names: Iterable[str]) -> str:
    """Join names by commas and "or"."""
    *first, last = [*dict.fromkeys(names)] or [""]
    return f"{', '.join(first)} or {last}" if first else last
