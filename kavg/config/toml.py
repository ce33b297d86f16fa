"""Reader and parser of settings files, with limits that a hostile file cannot exceed.

An error of syntax is reported with the line it is in and that line mended.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError
from kavg.text import shorten, shorten_repr

MAX_BYTES: Final = 2**26
"""Size limit of a file; a starting point of a million coordinates takes a third of it."""
MAX_BITS: Final = 4096
"""Size limit of a whole number: Python prints none of more than 4300 digits."""
MAX_DOTS: Final = 100
"""Limit of the dots in a key: tomllib takes n^2 steps for n parts, minutes for 50 000."""
LONGEST_LINE: Final = 200
"""Characters of a line that is mended."""

MISTAKES: Final = tuple(
    (re.compile(wrong), right)
    for wrong, right in (
        (r"[\u201c\u201d\u201e]", '"'),
        (r"[\u2018\u2019]", "'"),
        (r"==|:=", "="),
        (r'(?<=[{,])\s*"?([\w-]+)"?\s*:', r" \1 ="),
        (r'^"?([\w.-]+)"?\s*:\s*', r"\1 = "),
        (r"^([\w.-]+)\s+(?=[^=\s]+$)", r"\1 = "),
        (r"[;,]$", ""),
        (r",\s*\}", " }"),
        (r"\(([^()]*)\)", r"[\1]"),
        (r"(?<![\w.\"'])([+-]?)\.(?=\d)", r"\g<1>0."),
        (r"(?<=\d)\.(?!\d)", ".0"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"(?<![\w.\"'])0+(?=\d)", ""),
        (r"(?<==)\s*(?:True|TRUE|yes|Yes|on)\b", " true"),
        (r"(?<==)\s*(?:False|FALSE|no|No|off)\b", " false"),
        (r"""(?<==)\s*(["'])([^"']*)$""", r" \1\2\1"),
        (r"(?<==)\s*(?!None|null|nil)([A-Za-z_./][\w./ -]*?)\s*(?=,|\}|$)", r' "\1"'),
    )
)
"""What users of other formats write, and what TOML has in its place, in the order of mending."""


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


def explain_syntax(text: str, error: Exception) -> str:
    """Return an error of ``tomllib`` with the line it is in, and that line as TOML if it is known.

    >>> try:
    ...     tomllib.loads("gamma = .05")
    ... except ValueError as error:
    ...     explain_syntax("gamma = .05", error)
    "this is not TOML: Invalid value (at line 1, column 9), got 'gamma = .05'; as in gamma = 0.05"
    """
    if isinstance(error, RecursionError):
        return "this is not TOML: it is nested too deeply; settings have five levels at most"
    words = f"this is not TOML: {shorten(str(error))}"
    lines = text.split("\n")
    found = re.search(r"at line (\d+)", str(error))
    number = int(found[1]) if found else len(lines)
    line = lines[number - 1].strip() if number <= len(lines) else ""
    if not line:
        return words
    mended = next(_mended_lines(line), None) if len(line) <= LONGEST_LINE else None
    return f"{words}, got {shorten_repr(line)}" + (f"; as in {mended}" if mended else "")


def _mended_lines(line: str) -> Iterator[str]:
    """The line with one mistake mended, then with all of them, where that is TOML."""
    everything = line
    for wrong, right in MISTAKES:
        everything = wrong.sub(right, everything)
        yield from filter(_is_toml, (wrong.sub(right, line), everything))


def _is_toml(line: str) -> bool:
    try:
        return bool(tomllib.loads(line))
    except ValueError:
        return False
