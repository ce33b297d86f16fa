"""Manifests of run folders inside a folder that has a manifest too, as those of a sweep's points.

A command adds files to a run folder and enters them in the manifest there; that of the folder
around it still has the files that were written at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kavg.errors import KavgError
from kavg.storage.manifest import (
    NAME,
    Entry,
    compare_files,
    compute_entry,
    list_files,
    read_manifest,
)


def list_nested_changes(folder: Path) -> list[str]:
    """Describe each file that is not as the manifests say (``kavg.storage.manifest.list_changes``).

    Files that the manifest of an inner run folder lists, and that of ``folder`` does not, were
    added by kavg; those that both list must be as both say.
    """
    try:
        entries, files = read_manifest(folder), list_files(folder)
        return list(compare_files({**entries, **_read_additions(entries, files)}, files))
    except KavgError as error:
        return [str(error)]


def _read_additions(entries: Mapping[str, Entry], files: Mapping[str, Path]) -> dict[str, Entry]:
    """The entries that only inner manifests have, and those of these manifests as they are now."""
    additions: dict[str, Entry] = {}
    for name in entries:
        place, is_inner = name.removesuffix(NAME), name.endswith(f"/{NAME}")
        # One that cannot be read is compared with its entry, and so reported as changed.
        with suppress(KavgError, OSError):
            if is_inner and name in files:
                inner = {place + each: entry for each, entry in _read_beside(files[name]).items()}
                outer = {each: e for each, e in entries.items() if each.startswith(place)}
                if all(inner.get(each) == e for each, e in outer.items() if each != name):
                    additions |= inner | {name: compute_entry(files[name])}
    return additions


def _read_beside(path: Path) -> Mapping[str, Entry]:
    # Its folder would be another one than that of the files beside it.
    if path.is_symlink():
        raise KavgError(f"{path.name} is a link")
    return read_manifest(path.parent)
