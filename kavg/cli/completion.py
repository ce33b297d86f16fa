"""Shell completion of settings files, run folders and places for ``--set``.

Completers read names of files and at most one settings file, and print nothing.  Where they find
nothing, the shell completes file names by itself.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from kavg.errors import KavgError
from kavg.storage.checkpoints import FOLDER as CHECKPOINTS

REQUEST: Final = "_KAVG_COMPLETE"
"""The variable by which a shell asks for completions."""
MOST: Final = 1000
"""Names of one folder that are read at most, as the shell waits for the completions."""


def complete_settings_file(incomplete: str) -> list[str]:
    """List settings files whose path begins with ``incomplete``.

    Those one folder below are included, so that ``experiments/`` also completes to files in
    ``experiments/theory``.
    """
    return list(_settings_files(incomplete))


def complete_run_folder(incomplete: str) -> list[str]:
    """List run folders whose path begins with ``incomplete``, and those in ``runs/``.

    Other folders are left out; without any run folder, the shell completes all.
    """
    paths = [*_paths(incomplete), *_paths("runs/")]
    return [path for path in dict.fromkeys(paths) if is_run_folder(path)]


def complete_source(incomplete: str) -> list[str]:
    """List settings files and run folders, for a command that takes either."""
    return complete_settings_file(incomplete) + complete_run_folder(incomplete)


def complete_place() -> list[str]:
    """List places that ``--set`` can change in the settings file on the command line.

    Without a file that can be read: places of all kinds, and of all algorithms at once.
    """
    from kavg.config.places import setting_places
    from kavg.config.toml import parse_toml, read_settings

    path = _settings_file_on_line(os.environ)
    try:
        tables = parse_toml(read_settings(path)) if path else {}
    except KavgError:
        tables = {}
    shell = os.environ.get(REQUEST, "").rpartition("_")[2]
    places = [word for place in setting_places(tables) if (word := _word_of_shell(place, shell))]
    # With the equals sign fish adds no blank, so the value can be typed at once.
    return [f"{place}=" for place in places]


def _word_of_shell(place: str, shell: str) -> str | None:
    """The place as it is typed into a shell; None where its quotes cannot be completed."""
    # A star needs no quotes: shells keep one that matches no file name.
    if _is_plain(place.replace("*", "x")) or shell == "fish":  # fish adds quotes by itself
        return place
    return re.sub(r"([^\w@%+=:,./*-])", r"\\\1", place) if shell == "bash" else None


def _settings_file_on_line(variables: Mapping[str, str]) -> Path | None:
    """The first settings file among the words that the shell passes in a variable.

    Click does not parse the arguments of a line that ends with an option without its value.
    """
    line = variables.get("COMP_WORDS") or variables.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is not closed yet
        words = line.split()
    paths = (Path(word).expanduser() for word in words if word.endswith(".toml"))
    # No pipe and no device, which would block the shell.
    return next((path for path in paths if os.path.isfile(path)), None)


def is_run_folder(path: str) -> bool:
    """True for the folder of a finished run and for one with checkpoints.

    Only looks for two names, as the shell waits; ``RunFolder`` reads and validates the files.
    """
    return any(os.path.exists(os.path.join(path, name)) for name in ("summary.json", CHECKPOINTS))


def _settings_files(incomplete: str) -> Iterator[str]:
    for path in _paths(incomplete):
        inner = _paths(os.path.join(path, "")) if os.path.isdir(path) else [path]
        yield from (each for each in inner if each.endswith(".toml") and os.path.isfile(each))


def _paths(beginning: str) -> list[str]:
    """Paths with this beginning that need no quotes in a shell; hidden ones only after a dot."""
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
