"""Paths of data in settings: relative to the settings' folder, and to a run folder when stored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kavg.errors import KavgError
from kavg.objectives.data.data_file import NAMED
from kavg.storage.atomic import resolve_links

LONGEST_PATH: Final = 4096
"""Characters of the longest path that Linux opens."""


def data_path(tables: Mapping[str, Any]) -> str | None:
    """Return the path of the data that the tables of settings name; None without a file.

    >>> data_path({"objective": {"kind": "network", "data": {"kind": "file", "path": "a.csv"}}})
    'a.csv'
    >>> data_path({"objective": {"kind": "network", "data": "digits"}})
    """
    objective = tables.get("objective")
    source = objective.get("data") if isinstance(objective, dict) else None
    if isinstance(source, dict):
        source = source.get("path")
    return source if isinstance(source, str) and source and source not in NAMED else None


def replace_data_path(tables: dict[str, Any], path: str) -> None:
    """Replace the path of the data in the tables of settings, which name a file.

    Raises KavgError if they name none.

    >>> tables = {"objective": {"kind": "network", "data": "a.csv"}}
    >>> replace_data_path(tables, "b.csv")
    >>> tables["objective"]["data"]
    'b.csv'
    """
    if data_path(tables) is None:
        raise KavgError("these settings read no file of data; leave --data out")
    objective = tables["objective"]
    source = objective["data"]
    # Tables of their own, as parsed settings may be used elsewhere.
    new = source | {"path": path} if isinstance(source, dict) else path
    tables["objective"] = objective | {"data": new}


def resolve_data_path(tables: dict[str, Any], folder: Path) -> None:
    """Make the path of the data absolute, if it is relative to ``folder``."""
    source = data_path(tables)
    # A longer one is no file, and its links would be looked up part by part.
    if source is None or "\0" in source or len(source) > LONGEST_PATH:
        return
    # A bare word that is no file is a wrong name of a data set.
    if "." in source or os.sep in source or os.path.isfile(folder / source):
        replace_data_path(tables, str(resolve_links(folder / source)))


def relate_data_path(tables: dict[str, Any], folder: Path) -> None:
    """Make the path of the data relative to the run folder, if both lie in the same project.

    They do if they have a folder in common below the root and the home folder, so a project can be
    moved or renamed with its data and its runs; other data keep their absolute path.
    """
    source = data_path(tables)
    if source is None or not os.path.isabs(source):
        return
    here = resolve_links(folder)
    common = Path(os.path.commonpath([source, here]))
    home = resolve_links(Path(os.path.expanduser("~")))
    if common != common.parent and common not in (home, *home.parents):
        replace_data_path(tables, Path(os.path.relpath(source, here)).as_posix())
