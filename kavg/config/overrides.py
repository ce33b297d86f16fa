"""Settings changed from the command line: ``--set PLACE=VALUE``."""

from __future__ import annotations

import tomllib
from typing import Any

from kavg.config.messages import shorten_repr
from kavg.config.toml import check_whole_numbers
from kavg.errors import KavgError


def apply_override(data: dict[str, Any], override: str) -> None:
    """Set a value by its dotted place: ``a.b=c``, ``algorithm.0.K=4``, ``algorithm.NAME.K=4``.

    A ``*`` means all entries of a list; tables that do not exist are created.  Raises ``KavgError``
    if there is no such place.

    >>> data = {"algorithm": [{"K": 1}, {"K": 2}]}
    >>> apply_override(data, "algorithm.*.K=4")
    >>> data
    {'algorithm': [{'K': 4}, {'K': 4}]}
    """
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip():
        raise KavgError(f"needs place=value, got {shorten_repr(override)}; as in --set rounds=100")
    value = _parse_value(text)
    *path, last = dotted.strip().split(".")
    # A list, as a * in the path selects several tables.
    targets: list[Any] = [data]
    for step in path:
        targets = [inner for target in targets for inner in _step_into(target, step)]
    for target in targets:
        if isinstance(target, dict):
            target[last] = value
        else:
            for index in _indices(target, last):
                target[index] = value


def _parse_value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()  # mean=allreduce needs no quotes
    if len(parsed) > 1:  # a line break in the text began another key
        return text.strip()
    check_whole_numbers(parsed)
    return parsed["value"]


def _step_into(target: Any, step: str) -> list[Any]:
    if isinstance(target, dict):
        return [target.setdefault(step, {})]
    return [target[index] for index in _indices(target, step)]


def _indices(target: Any, step: str) -> list[int]:
    # A step into a list is an index, * for all entries, or the name of an algorithm.
    if isinstance(target, list):
        if step == "*":
            return list(range(len(target)))
        if step.isascii() and step.isdecimal() and int(step) < len(target):
            return [int(step)]
        named = [i for i, t in enumerate(target) if isinstance(t, dict) and t.get("name") == step]
        if named:
            return named
        raise KavgError(
            f"there is no entry {shorten_repr(step)}; use a number below {len(target)}, "
            "the entry's name, or * for all"
        )
    raise KavgError(f"there is no place {shorten_repr(step)} inside {shorten_repr(target)}")
