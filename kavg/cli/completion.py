"""Shell completion of settings files, run folders and places for ``--set``.

Completers read names of files and at most one settings file, and print nothing.  Where they find
nothing, the shell completes file names by itself.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import typer

from kavg.errors import KavgError
from kavg.storage.checkpoints import FOLDER as CHECKPOINTS

MOST: Final = 1000
"""Names in one folder that are looked at."""


def complete_settings_file(incomplete: str) -> list[str]:
    """Settings files whose path begins with ``incomplete``, also of the next folders down."""
    return list(_settings_files(incomplete))


def complete_run_folder(incomplete: str) -> list[str]:
    """Run folders whose path begins with ``incomplete``, and those in ``runs/``."""
    paths = [*_paths(incomplete), *_paths("runs/")]
    return [path for path in dict.fromkeys(paths) if is_run_folder(path)]


def complete_source(incomplete: str) -> list[str]:
    """Settings files and run folders."""
    return complete_settings_file(incomplete) + complete_run_folder(incomplete)


def complete_place(context: typer.Context) -> list[str]:
    """Places that ``--set`` can change in the CONFIG on the command line, if it is readable."""
    from kavg.config.places import setting_places
    from kavg.config.toml import parse_toml, read_settings

    config = Path(context.params.get("config") or context.params.get("source") or "")
    try:
        # A pipe or a device would block the shell.
        tables = parse_toml(read_settings(config)) if config.is_file() else {}
    except KavgError:
        tables = {}
    # Shells leave a star alone that no file name matches.
    places = [place for place in setting_places(tables) if _is_plain(place.replace("*", "x"))]
    return [f"{place}=" for place in places]


def is_run_folder(path: str) -> bool:
    """True for the folder of a finished run and for one with checkpoints."""
    return any(os.path.exists(os.path.join(path, name)) for name in ("summary.json", CHECKPOINTS))


def _settings_files(incomplete: str) -> Iterator[str]:
    for path in _paths(incomplete):
        inner = _paths(os.path.join(path, "")) if os.path.isdir(path) else [path]
        yield from (each for each in inner if each.endswith(".toml") and os.path.isfile(each))


def _paths(beginning: str) -> list[str]:
    """Paths that begin so and need no quotes in a shell; hidden ones only if asked for."""
    folder, name = os.path.split(beginning)
    try:
        with os.scandir(folder or ".") as entries:
            names = sorted(entry.name for entry in islice(entries, MOST))
    except OSError:
        return []
    visible = [each for each in names if name.startswith(".") or not each.startswith(".")]
    paths = [os.path.join(folder, each) for each in visible if each.startswith(name)]
    return [path for path in paths if _is_plain(path)]


def _is_plain(word: str) -> bool:
    """True if a shell needs no quotes; bash would insert the word without any."""
    return shlex.quote(word) == word
