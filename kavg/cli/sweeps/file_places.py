"""The places of the files of a sweep, as they are printed at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kavg.storage import joint_digest
from kavg.storage.limits import format_bytes
from kavg.storage.tables.result_files import TABLES
from kavg.text import escape_unprintable
from kavg.trajectory import Trajectory

LARGE: Final = 50 * 2**20
"""Bytes of a table above which a message says how to have fewer."""


def list_places(runs: Sequence[Trajectory], folder: Path) -> Iterator[str]:
    """List the digest of a sweep, and where the files are that one looks at first."""
    yield f"digest  {joint_digest(runs)}"
    places = {
        "best": [path for path in (folder / "best.toml", folder / "best") if path.exists()],
        "table": _list_tables(folder),
        "figures": sorted((folder / "figures").glob("*.png")),
        "folder": [folder],
    }
    for name, paths in places.items():
        if paths:
            shown = ", ".join(escape_unprintable(str(path)) for path in paths)
            yield f"{name:8}{shown}"


def _list_tables(folder: Path) -> list[Path]:
    return [path for name in TABLES if (path := folder / name).exists()]


def list_large_tables(folder: Path) -> Iterator[str]:
    """Describe tables of more than ``LARGE`` bytes, and how to have fewer lines."""
    for path in _list_tables(folder):
        size = path.stat().st_size
        if size > LARGE:
            yield (
                f"{path.name} has {format_bytes(size)}; with [record] every = n it has a line for "
                "every n-th round alone"
            )
