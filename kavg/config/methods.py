"""Methods by name in a settings file: ``method = "fedavgm"`` stands for the parts of a method.

The parts are written out before anything else reads the tables, so that all that follows, the
stored settings included, has the parts alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kavg.config.kinds import to_plain
from kavg.errors import KavgError
from kavg.methods import METHODS
from kavg.text import shorten_repr

KEY: Final = "method"
PARTS: Final = ("outer", "optimizer", "aggregation")
"""Tables of an algorithm whose kind may be that of the method."""
ALWAYS_GIVEN: Final = ("P", "gamma", "name")
"""Keys of an algorithm that no method gives."""


class WrittenOut(dict[str, Any]):
    """The table of a part of a method, and which of its keys the file gives.

    >>> WrittenOut({"mu": 0.9, "alpha": 0.7}, given={"mu"}).given
    frozenset({'mu'})
    """

    def __init__(self, table: Mapping[str, Any], given: Iterable[str]) -> None:
        super().__init__(table)
        self.given = frozenset(given)


def write_out_methods(tables: dict[str, Any]) -> list[str]:
    """Write out the parts of methods in the tables ``[[algorithm]]``; return errors, a line each.

    A part that is given is kept, and so are the keys of one that is given in part.  An algorithm
    without a name is called as its method, unless another is called so too.

    >>> tables = {"algorithm": [{"method": "fedavgm", "P": 4, "K": 8, "outer": {"mu": 0.5}}]}
    >>> write_out_methods(tables)
    []
    >>> tables["algorithm"][0]["outer"], tables["algorithm"][0]["name"]
    ({'kind': 'block_momentum', 'mu': 0.5, 'alpha': 1.0}, 'fedavgm')
    """
    algorithms = tables.get("algorithm")
    errors: list[str] = []
    if not isinstance(algorithms, list):
        return errors
    names = [table.get("name", table.get(KEY)) for table in algorithms if isinstance(table, dict)]
    for i, table in enumerate(algorithms):
        if not isinstance(table, dict) or KEY not in table:
            continue
        try:
            algorithms[i] = _write_out(table)
            if names.count(table[KEY]) == 1:
                algorithms[i].setdefault("name", table[KEY])
        except KavgError as error:
            errors.append(f"algorithm.{i}.{KEY}: {error}")
            # A rule that goes with all keys beside it, so that what is wrong is said once.
            rule = {"kind": "block_momentum", "mu": 0.0}
            algorithms[i] = {"outer": rule} | _leave_out(table, KEY)
    return errors


def _write_out(table: dict[str, Any]) -> dict[str, Any]:
    """Return an algorithm's table with the parts of its method in place of the name."""
    name, given = table[KEY], _leave_out(table, KEY)
    if not isinstance(name, str) or name not in METHODS:
        close = difflib.get_close_matches(str(name)[:100], METHODS, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(METHODS)}"
        raise KavgError(f"there is no method {shorten_repr(name)}; {advice}")
    make = METHODS[name]
    P, K = (_count_or_one(given.get(key)) for key in ("P", "K"))
    method = make(P, K, 1.0)
    parts = _leave_out(to_plain(method), *ALWAYS_GIVEN)
    if has_own_K(name):
        _check_own_K(name, method.K, given.get("K"))
    elif type(given.get("K")) is int:
        del given["K"]  # a function of it, perhaps itself
    else:
        del parts["K"]
    return _merge(parts, given)


def has_own_K(name: str) -> bool:
    """True if a method has a K of its own, whatever K it is given.

    >>> has_own_K("synchronous_sgd"), has_own_K("diloco")
    (True, False)
    """
    make = METHODS[name]
    return make(1, 1, 1.0).K == make(1, 2, 1.0).K


def _check_own_K(name: str, K: object, given: object) -> None:
    """Raise ``KavgError`` if another K is given beside a method that has a K of its own."""
    # What is no K at all is reported where the table is converted.
    if isinstance(given, dict) or (_count_or_one(given) == given and given != K):
        raise KavgError(
            f"{name} has K = {K} of its own, got K = {shorten_repr(given)}; leave K out, or give "
            "the parts in place of the method"
        )


def _count_or_one(value: object) -> int:
    # What is no count is reported where the table is converted.
    return value if type(value) is int and value > 0 else 1


def _leave_out(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _merge(parts: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = parts | given
    for key, part in parts.items():
        own = given.get(key)
        if isinstance(part, dict) and isinstance(own, dict):
            # A table of another kind replaces the method's.
            is_same_kind = own.get("kind", part["kind"]) == part["kind"]
            merged[key] = WrittenOut(part | own, given=own) if is_same_kind else own
    return merged
