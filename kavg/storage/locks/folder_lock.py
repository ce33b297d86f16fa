"""Advisory locks of folders: at most one process writes to a folder at a time.

The lock is a file beside the folder, ``.NAME.lock``, or in it where the parent cannot be written.
Whoever holds it first mends what a process that has ended left (``kavg.storage.recovery``).
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from kavg.errors import FolderInUse
from kavg.storage.atomic import make_folders, remove_empty, resolve_links, temporary_stem
from kavg.storage.locks.lock_files import PAUSE, SETTLING, LockFile, LockHeld, read_holder
from kavg.storage.locks.processes import has_ended
from kavg.text import escape_unprintable

INSIDE: Final = ".kavg.lock"
"""The lock in a folder whose parent cannot be written."""


@final
class FolderLock:
    """The lock of a folder, which need not exist.

    ``acquire`` creates the folders above it, and ``release`` removes those that are still empty.
    Under MPI rank 0 alone holds it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     lock, other = FolderLock(Path(place, "run")), FolderLock(Path(place, "run"))
    ...     lock.acquire()
    ...     try:
    ...         other.acquire()
    ...     except FolderInUse:
    ...         print("in use")
    ...     lock.release()
    ...     other.acquire()
    ...     other.release()
    in use
    """

    def __init__(self, folder: Path) -> None:
        self.given, self.folder = folder, resolve_links(folder)
        beside, inside = lock_paths(self.folder)
        # Nobody can begin or replace a run where the parent cannot be written.
        is_beside = not os.path.isdir(self.folder) or os.access(
            self.folder.parent, os.W_OK | os.X_OK
        )
        self._file = LockFile(beside if is_beside and self.folder.name else inside)
        self._other = inside if self._file.path == beside else beside
        self._made: list[Path] = []

    def acquire(self, patience: float = 0.0) -> None:
        """Hold the lock, after waiting for at most ``patience`` seconds.

        Raises ``FolderInUse`` if another process holds it, and ``OSError`` if it cannot be written.
        """
        end = time.monotonic() + patience
        while True:
            try:
                return self._acquire_once()
            except LockHeld as error:
                if time.monotonic() >= end:
                    raise FolderInUse(self._describe(error)) from None
            except FileNotFoundError:  # another run removed the folders above that it had made
                if time.monotonic() >= end + SETTLING:
                    raise
            time.sleep(PAUSE)

    def release(self) -> None:
        """Stop holding the lock; does nothing if it is not held."""
        self._file.release()
        remove_empty(self._made)
        self._made.clear()

    def _acquire_once(self) -> None:
        self._made += make_folders(self._file.path.parent)
        self._require_other_free(remove=False)
        stale = self._file.acquire()
        try:
            # Again, as a process that sees other permissions may have taken the other meanwhile.
            self._require_other_free(remove=True)
        except BaseException:
            self._file.release()
            raise
        for path in list_lock_leftovers(self._file.path):
            with suppress(OSError):
                path.unlink()
        if stale is not None:
            print_notice(
                f"took over the lock of {str(self.given)!r} from {stale.describe()}, "
                "which ended without removing it"
            )

    def _require_other_free(self, *, remove: bool) -> None:
        """Raise ``LockHeld`` if the lock is held in its other place; remove a stale one there."""
        other = read_holder(self._other)
        if other is None:
            return
        if not (other.process and has_ended(other.process)):
            raise LockHeld(other, self._other)
        with suppress(OSError):  # it cannot be removed there, and nobody holds it
            if remove and not LockFile(self._other).remove_stale(other):
                raise LockHeld(other, self._other)

    def _describe(self, error: LockHeld) -> str:
        holder = error.holder
        text = f"{str(self.given)!r} is in use by {holder.describe()}; wait until it ends"
        if holder.process is not None and has_ended(holder.process) is False:
            return f"{text}, or use another folder"
        return f"{text}; if that process is gone, rm {shlex.quote(str(error.path))}"


def lock_paths(folder: Path) -> tuple[Path, Path]:
    """Return where the lock of a folder may be: beside it, and in it."""
    return folder.parent / f"{temporary_stem(folder.name)}.lock", folder / INSIDE


def list_lock_leftovers(lock: Path) -> list[Path]:
    """List drafts of a lock, and locks of its stale forms.

    The holder may remove them all: a process that misses its draft writes another.
    """
    leftover = re.compile(rf"{re.escape(lock.name)}(\.[0-9a-f]{{8}})+(\.draft)?")
    return [path for path in list_entries(lock.parent) if leftover.fullmatch(path.name)]


def list_entries(folder: Path) -> list[Path]:
    """List what is in a folder; empty if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries]
    except OSError:
        return []


def print_notice(text: str) -> None:
    """Print a line for the user on stderr, where that is possible."""
    with suppress(OSError, ValueError, AttributeError):  # stderr may be closed
        sys.stderr.write(f"kavg: {escape_unprintable(text)}\n")
