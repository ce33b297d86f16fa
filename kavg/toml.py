"""The text of a settings file, and the tables in it, however large or odd it is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from kavg.base import KavgError

LARGEST: Final = 2**26
"""Bytes of the largest settings file: a starting point of a million coordinates has a third."""
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
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise KavgError(f"this is not TOML: {error}") from None
