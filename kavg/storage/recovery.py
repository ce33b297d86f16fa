"""Recovery of a folder from a process that ended while it wrote there.

The holder of a folder's lock is the only process that makes temporary names for it, so all that it
finds were left by processes that have ended.  Folders are proved to be of kavg by a file in them
(``kavg.storage.changes.replacement``); others, links, and drafts of other names are left alone.

=====================  ============================================================================
``.NAME.x.partial``    a draft beside the folder, which is removed
``.NAME.x.old``        an older folder, which is put back, or whose other files move to the new one
``.kavg.pending``      files to be added to the folder, complete: they are moved into place
``.FILE.x.partial``    a draft of a file, which is removed
=====================  ============================================================================
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kavg.errors import KavgError
from kavg.storage.atomic import resolve_links, temporary_stem
from kavg.storage.changes.additions import ADDED, PENDING, finish_addition
from kavg.storage.changes.replacement import (
    STAGE,
    is_real_folder,
    is_stage,
    remove_mark,
    remove_stage,
    settle_replacement,
)
from kavg.storage.locks.folder_lock import (
    INSIDE,
    FolderLock,
    list_entries,
    list_lock_leftovers,
    lock_paths,
    print_notice,
)

CONTENTS: Final = (
    "config.toml",
    "metrics.csv",
    "trajectory.npz",
    "summary.json",
    "environment.json",
    "verdicts.json",
    "figures",
    "checkpoints",
    "manifest.sha256",
    INSIDE,
    PENDING,
    STAGE,
)
"""Names that kavg uses in a run folder; files of other names are the user's and are kept."""
SWEEP: Final = "sweep.json"
SWEEP_CONTENTS: Final = (
    SWEEP, "points.csv", "points.parquet", "schema.json", "best.toml", "best", "points",
)  # fmt: skip
"""Names that kavg uses in the folder of a sweep beside those of a run."""
ADDITION: Final = re.compile(rf"\.{ADDED}\.[0-9a-f]{{8}}\.partial")
NUMBERED: Final = re.compile(r"\d{6,18}\.ckpt")
OWN: Final = "|".join(
    re.escape(name) for name in (*CONTENTS, *SWEEP_CONTENTS) if not name.startswith(".")
)
TARGETS: Final = {
    ".": re.compile(rf"\.({OWN})\.[0-9a-f]{{8}}\.partial"),
    "checkpoints": re.compile(rf"\.{NUMBERED.pattern}\.[0-9a-f]{{8}}\.partial"),
    "figures": re.compile(r"\.[\w-]+\.(png|svg|pdf|pgf)\.([0-9a-f]{8}\.partial|\d+)"),
}
"""Drafts of kavg's own files in the folders of a run; ``.NAME.7`` is of earlier versions."""


def is_own_file(path: Path) -> bool:
    """True if a file or folder in a run folder is kavg's, by its name.

    Names of sweeps, such as ``best``, are a user's where there is no ``sweep.json``.
    """
    names = (*CONTENTS, *SWEEP_CONTENTS) if (path.parent / SWEEP).is_file() else CONTENTS
    return path.name in names


@contextmanager
def hold_folder(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of a folder, and mend first what a process that has ended left there.

    Raises ``FolderInUse`` if another process holds the lock for longer than ``patience`` seconds,
    and ``OSError`` if the folder cannot be written.
    """
    lock = FolderLock(folder)
    try:
        lock.acquire(patience)
        recover_folder(folder)
        yield
    finally:
        lock.release()


def recover_before_reading(folder: Path) -> None:
    """Mend what a process that has ended left of a folder, if it left anything.

    Does nothing while another process writes there, or where this one cannot write.
    """
    # ValueError: a path that no file can have; KavgError is one too.
    with suppress(OSError, ValueError):
        if any(_list_leftovers(resolve_links(folder))):
            with hold_folder(folder):
                pass


def recover_folder(folder: Path) -> None:
    """Finish or undo what a process that has ended left of a folder whose lock is held.

    Raises ``OSError`` if files cannot be moved to where they belong.
    """
    given, folder = folder, resolve_links(folder)
    done = [settle_replacement(folder, path, is_own_file) for path in _list_beside(folder, "old")]
    done.append(_try_to_finish_addition(folder))
    drafts = _list_drafts(folder)
    for path in drafts:
        remove_stage(path)
    remove_mark(folder)
    done += [f"removed {path.name!r}" for path in drafts if not os.path.lexists(path)]
    if _remove_empty_claim(folder):
        done.append("removed the folder, which held no checkpoint yet")
    done = [each for each in done if each]
    if done:
        words = ", ".join(done[:3]) + (f" and {len(done) - 3} more" if len(done) > 3 else "")
        print_notice(f"a command that was stopped left {str(given)!r} half-written: {words}")


def _try_to_finish_addition(folder: Path) -> str:
    """What came of files that were being added; empty if there were none."""
    try:
        return "completed the files that were being added" if finish_addition(folder) else ""
    except (OSError, KavgError) as error:
        # They wait until it is possible, and the next addition or run takes their place.
        return f"files that were being added stay in {PENDING!r}: {error}"


def _remove_empty_claim(folder: Path) -> bool:
    """True if a run had created the folder for its first checkpoint only, and it is removed."""
    inner = folder / "checkpoints"
    if inner.is_symlink() or list_entries(folder) != [inner] or list_entries(inner):
        return False
    with suppress(OSError):  # it cannot be read, or is no folder
        inner.rmdir()
        folder.rmdir()
        return True
    return False


def _list_leftovers(folder: Path) -> Iterator[Path]:
    """Names that only a process that is writing has, or has left."""
    yield from _list_beside(folder, "old")
    for lock in lock_paths(folder):
        yield from ([lock] if os.path.lexists(lock) else ())
        yield from list_lock_leftovers(lock)
    yield from (folder / name for name in (PENDING, STAGE) if os.path.lexists(folder / name))
    yield from _list_drafts(folder)
    entries = list_entries(folder)
    yield from (
        entries if entries == [folder / "checkpoints"] and not list_entries(entries[0]) else ()
    )


def _list_beside(folder: Path, kind: str) -> list[Path]:
    """Folders beside a folder whose names are temporary ones of it; no links."""
    name = re.compile(rf"{re.escape(temporary_stem(folder.name))}\.[0-9a-f]{{8}}\.{kind}")
    entries = list_entries(folder.parent)
    return [path for path in entries if name.fullmatch(path.name) and is_real_folder(path)]


def _list_drafts(folder: Path) -> list[Path]:
    """Drafts of a folder beside it and in it, but none that could be of another program."""
    drafts = [path for path in _list_beside(folder, "partial") if is_stage(path, "checkpoints")]
    is_run = _is_run_folder(folder)
    for path in list_entries(folder):
        if ADDITION.fullmatch(path.name) and is_real_folder(path):
            drafts += [path] if is_run or is_stage(path, "figures") else []
    for place, name in TARGETS.items() if is_run else ():
        if is_real_folder(folder / place):
            drafts += [
                path for path in list_entries(folder / place)
                if name.fullmatch(path.name) and not path.is_dir()
            ]  # fmt: skip
    return drafts


def _is_run_folder(folder: Path) -> bool:
    """True for the folder of a run, or one that was to become that."""
    names = {path.name for path in list_entries(folder)}
    place, name = folder / "checkpoints", TARGETS["checkpoints"]
    saved = [path.name for path in list_entries(place)] if is_real_folder(place) else []
    has_saved = any(NUMBERED.fullmatch(each) or name.fullmatch(each) for each in saved)
    return {"config.toml", "trajectory.npz"} <= names or has_saved
