"""Which command a file or folder is for: that of a run, or that of a sweep."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kavg.cli.resumption.last_checkpoint import find_checkpoint
from kavg.cli.session import Session
from kavg.config.toml import decode_settings, parse_toml, read_settings
from kavg.errors import KavgError
from kavg.mpi.collective import agree_on
from kavg.storage.checkpoints import read_checkpoint
from kavg.storage.output_folder import is_unfinished


def has_sweep_table(path: Path, content: bytes | None, overrides: Sequence[str]) -> bool:
    """True if settings have a table ``[sweep]``; False too if they cannot be read.

    The caller then reads them as those of a run, and reports what is wrong.
    """
    if any(each.strip().startswith("sweep") for each in overrides):
        return True
    try:
        text = read_settings(path) if content is None else decode_settings(content, path)
        return "sweep" in parse_toml(text)
    except KavgError:
        return False


def is_sweep_given(
    session: Session, path: Path, content: bytes | None, overrides: Sequence[str] | None
) -> bool:
    """Return ``has_sweep_table``, which must be the same on all ranks."""

    def look() -> bool:
        return has_sweep_table(path, content, overrides or ())

    return agree_on(session.comm, "the settings", look, str)


def is_sweep_folder(folder: Path) -> bool:
    """True if a folder holds a sweep, finished or not.

    False too if none of its checkpoints can be read, which then is reported as that of a run.
    """
    try:
        if is_unfinished(folder):
            return find_checkpoint(folder, read_checkpoint)[1].sweep is not None
    except (KavgError, OSError):
        return False
    # pathlib raises for a name that is too long.
    return os.path.isfile(folder / "sweep.json")


def is_sweep_shared(session: Session, folder: Path) -> bool:
    """Return ``is_sweep_folder``, which must be the same on all ranks."""
    return agree_on(session.comm, "the folder", lambda: is_sweep_folder(folder), str)
