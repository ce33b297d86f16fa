"""The text of a settings file, and the tables in it, however large or odd it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError

LARGEST: Final = 2**26
"""Bytes of the largest settings file: a starting point of a million coordinates has a third."""
BITS: Final = 4096
"""Of the largest whole number: Python spells none of more than 4300 digits."""
PARTS: Final = 100
"""Dots in the longest key: for a key of n parts tomllib takes n^2 steps, minutes for 50 000."""


def text_of(path: Path) -> str:
    """The text of a settings file; one without end is not waited for."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise KavgError(f"cannot read the settings {str(path)!r}: {reason}") from None
    if len(content) > LARGEST:
        raise KavgError(f"cannot read the settings {str(path)!r}: more than {LARGEST} bytes")
    return text


def tables_of(text: str) -> dict[str, Any]:
    """The tables of a text.

    >>> tables_of("a.b = 1")
    {'a': {'b': 1}}
    """
    if max(piece.count(".") for piece in re.split(r"[,\n{=]", text)) > PARTS:
        raise KavgError(f"this has a key, or a text, of more than {PARTS} parts between dots")
    try:
        return spellable(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        if isinstance(error, KavgError):
            raise
        raise KavgError(f"this is not TOML: {error}") from None


def spellable(tables: dict[str, Any]) -> dict[str, Any]:
    """The same, once every whole number in it can be written down in a report."""
    waiting: list[Any] = [tables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int) and value.bit_length() > BITS:
            raise KavgError(f"this has a whole number of more than {BITS} bits")
    return tables
