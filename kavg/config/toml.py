"""Reader and parser of settings files, with limits that a hostile file cannot exceed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from kavg.config.syntax import explain_syntax
from kavg.errors import KavgError

MAX_BYTES: Final = 2**26
"""Size limit of a file; a starting point of a million coordinates takes a third of it."""
MAX_BITS: Final = 4096
"""Size limit of a whole number: Python prints none of more than 4300 digits."""
MAX_DOTS: Final = 100
"""Limit of the dots in a key: tomllib takes n^2 steps for n parts, minutes for 50 000."""


def read_settings(path: Path) -> str:
    """Read the text of a settings file; raise KavgError if it is unreadable or too large.

    A file of unbounded size (a device) is not read to its end.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KavgError(f"cannot read the settings {str(path)!r}: {error.strerror}") from None
    return decode_settings(content, path)


def decode_settings(content: bytes, path: Path) -> str:
    """Decode the content of a settings file; raise KavgError if it is no text or too large."""
    if len(content) > MAX_BYTES:
        raise KavgError(f"cannot read the settings {str(path)!r}: more than {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise KavgError(f"cannot read the settings {str(path)!r}: it is not UTF-8 text") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML; raise KavgError where ``tomllib`` fails, or would take very long.

    >>> parse_toml("a.b = 1")
    {'a': {'b': 1}}
    """
    # Counted on the raw text, before tomllib; a text value with as many dots is rejected too.
    if max(piece.count(".") for piece in re.split(r"[,\n{=]", text)) > MAX_DOTS:
        raise KavgError(f"this has a key, or a text, of more than {MAX_DOTS} parts between dots")
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise KavgError(explain_syntax(text, error)) from None
    check_whole_numbers(tables)
    return tables


def check_whole_numbers(tables: dict[str, Any]) -> None:
    """Raise KavgError if a whole number in the tables is too large to be printed.

    An error message with such a number would itself fail.
    """
    # No recursion: a hostile file may nest deeper than Python's stack.
    pending: list[Any] = [tables]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise KavgError(f"this has a whole number of more than {MAX_BITS} bits")
