"""Errors of TOML syntax, with the line they are in and that line mended."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final

from kavg.text import shorten, shorten_repr

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
