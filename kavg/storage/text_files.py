"""Text and JSON files of a run folder, validated when written and when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from kavg.errors import KavgError
from kavg.storage.atomic import write_bytes
from kavg.storage.regular_files import read_regular

LARGEST: Final = 2**26
"""Bytes of the largest file that is read."""


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Characters that UTF-8 cannot encode, which names of files may have, are escaped.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def read_text(path: Path) -> str:
    """Read UTF-8 text of at most ``LARGEST`` bytes.

    Raises ``KavgError`` if it cannot be read, or holds anything else.
    """
    try:
        return read_regular(path, LARGEST).decode()
    except OSError as error:
        raise KavgError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise KavgError(f"{str(path)!r} is not UTF-8 text: {error}") from None
    except KavgError as error:
        raise KavgError(f"{str(path)!r} cannot be read: {error}") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object that any reader accepts, whole or not at all.

    Raises ``ValueError`` for NaN and infinities, which JSON does not have.
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of at most ``LARGEST`` bytes.

    Raises ``KavgError`` if it cannot be read, or holds anything else.
    """
    text = read_text(path)
    try:
        content = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise KavgError(f"{str(path)!r} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise KavgError(f"{str(path)!r} must hold a JSON object, got a {type(content).__name__}")
    return content


def parse_json(text: str) -> Any:
    """Parse JSON text without the NaN and infinities that Python's own reader accepts.

    What is read can then be written again.

    >>> parse_json('{"a": [1.5]}')
    {'a': [1.5]}
    >>> parse_json("[NaN]")
    Traceback (most recent call last):
    ValueError: NaN is not JSON
    """
    return json.loads(text, parse_constant=_reject_constant)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
