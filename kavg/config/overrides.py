"""One setting changed from the command line: ``--set PLACE=VALUE``."""

from __future__ import annotations

import tomllib
from typing import Any

from kavg.config.messages import shown
from kavg.config.toml import spellable
from kavg.errors import KavgError


def put(data: dict[str, Any], override: str) -> None:
    """Set one value by its dotted place: ``a.b=c``, ``algorithm.0.K=4``, ``algorithm.*.K=4``.

    >>> data = {"algorithm": [{"K": 1}, {"K": 2}]}
    >>> put(data, "algorithm.*.K=4")
    >>> data
    {'algorithm': [{'K': 4}, {'K': 4}]}
    """
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip():
        raise KavgError(f"needs place=value, got {shown(override)}; as in --set rounds=100")
    value = as_toml(text)
    *path, last = dotted.strip().split(".")
    targets: list[Any] = [data]
    for step in path:
        targets = [inner for target in targets for inner in inside(target, step)]
    for target in targets:
        if isinstance(target, dict):
            target[last] = value
        else:
            for place in places(target, last):
                target[place] = value


def as_toml(text: str) -> Any:
    """The value as TOML reads it, else the text itself: ``mean=allreduce`` needs no quotes."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text.strip()
    return spellable(read)["value"] if len(read) == 1 else text.strip()


def inside(target: Any, step: str) -> list[Any]:
    """What lies one step further; a table that is not there yet is made."""
    if isinstance(target, dict):
        return [target.setdefault(step, {})]
    return [target[place] for place in places(target, step)]


def places(target: Any, step: str) -> list[int]:
    """Which entries of a list a step means: a number, ``*`` for all, or an algorithm's name."""
    if isinstance(target, list):
        if step == "*":
            return list(range(len(target)))
        if step.isascii() and step.isdecimal() and int(step) < len(target):
            return [int(step)]
        named = [i for i, t in enumerate(target) if isinstance(t, dict) and t.get("name") == step]
        if named:
            return named
        raise KavgError(
            f"there is no entry {shown(step)}; use a number below {len(target)}, the entry's name, "
            "or * for all"
        )
    raise KavgError(f"there is no place {shown(step)} inside {shown(target)}")
