"""Axes of a sweep given on the command line: ``--grid PLACE=VALUES``."""

from __future__ import annotations

from typing import Any

from kavg.config.examples import parse_value
from kavg.config.places import split_override
from kavg.config.toml import check_whole_numbers
from kavg.errors import KavgError
from kavg.sweeps.designs.axes import normalise_place, spell_steps
from kavg.text import shorten_repr


def add_grid(tables: dict[str, Any], grid: str) -> None:
    """Add ``place=1,4,16`` to ``[sweep.grid]`` of settings, in place of what it has there.

    Values are separated by commas, each one of TOML or text without quotes; a list or a table such
    as ``{log2=[-8, -2], per=2}`` may be given too.  Raises ``KavgError`` for any other text.

    >>> tables = {}
    >>> add_grid(tables, "algorithm.*.K=1,4,16")
    >>> add_grid(tables, "algorithm.*.gamma={log2=[-8, -2]}")
    >>> tables
    {'sweep': {'grid': {'algorithm.*.K': [1, 4, 16], 'algorithm.*.gamma': {'log2': [-8, -2]}}}}
    """
    try:
        steps, text = split_override(grid)
    except KavgError:
        need = "needs place=values, got"
        raise KavgError(f"{need} {shorten_repr(grid)}; as in --grid algorithm.*.K=1,4,16") from None
    values = _parse_values(text.strip())
    check_whole_numbers({"values": values})
    place = spell_steps(steps)
    target: Any = tables
    for key in ("sweep", "grid"):
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise KavgError(f"needs a table {key!r} in the file, got {shorten_repr(target)}")
    # Two spellings of one place would be the same setting varied twice.
    for other in [other for other in target if _is_same_place(other, place)]:
        del target[other]
    target[place] = values


def _parse_values(text: str) -> Any:
    if not text:
        return []
    if isinstance(whole := parse_value(text), (dict, list)):
        return whole
    parsed = parse_value(f"[{text}]")
    # Words without quotes, or numbers such as .1, are no list of TOML.
    if isinstance(parsed, list):
        return parsed
    return [parse_value(part.strip()) for part in text.split(",")]


def _is_same_place(other: str, place: str) -> bool:
    try:
        return normalise_place(other) == place
    except KavgError:
        return False
