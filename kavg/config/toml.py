"""Settings files read and parsed, with limits on what a hostile file can cost."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError

MAX_BYTES: Final = 2**26
"""The size of the largest file; a starting point of a million coordinates takes a third of it."""
MAX_BITS: Final = 4096
"""The size of the largest whole number: Python prints none of more than 4300 digits."""
MAX_DOTS: Final = 100
"""The dots in the longest key: tomllib takes n^2 steps for n parts, minutes for 50 000."""


def read_settings(path: Path) -> str:
    """Read the text of a settings file; raise KavgError if it is unreadable or too large.

    A file of unbounded size (a device) is not read to its end.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise KavgError(f"cannot read the settings {str(path)!r}: {reason}") from None
    if len(content) > MAX_BYTES:
        raise KavgError(f"cannot read the settings {str(path)!r}: more than {MAX_BYTES} bytes")
    return text


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML; raise KavgError where ``tomllib`` fails, or would take very long.

    >>> parse_toml("a.b = 1")
    {'a': {'b': 1}}
    """
    # tomllib would take minutes for a key of 50 000 parts, so keys are measured first.
    if max(piece.count(".") for piece in re.split(r"[,\n{=]", text)) > MAX_DOTS:
        raise KavgError(f"this has a key, or a text, of more than {MAX_DOTS} parts between dots")
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise KavgError(f"this is not TOML: {error}") from None
    check_whole_numbers(tables)
    return tables


def check_whole_numbers(tables: dict[str, Any]) -> None:
    """Raise KavgError if a whole number in the tables is too large to be printed.

    Python refuses to print more than 4300 digits, and an error message would fail on them.
    """
    # No recursion: a hostile file nests deeper than Python's stack.
    waiting: list[Any] = [tables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise KavgError(f"this has a whole number of more than {MAX_BITS} bits")
