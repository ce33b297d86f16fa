"""Claims of run folders: each is written by one command at a time, from its start to its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kavg.errors import FolderInUse, KavgError
from kavg.storage.locks.folder_lock import FolderLock, print_notice
from kavg.storage.output_folder import (
    is_writable,
    number_names,
    validate_output_folder,
    validate_place,
)
from kavg.storage.recovery import recover_before_reading, recover_folder


@contextmanager
def hold_output_folder(folder: Path, *, force: bool, is_default: bool) -> Iterator[Path]:
    """Hold the lock of the folder that a run will be written to, and yield that folder.

    While another run writes to a folder that was chosen by default, the next free one of
    ``folder-2``, ``folder-3``, ... is taken.

    Raises:
        FolderInUse: Another run writes there, and the folder was named or is to be replaced.
        KavgError: A run cannot, or must not, be written there (``validate_output_folder``).
    """
    for place in number_names(folder):
        validate_place(place)
        lock = FolderLock(place)
        try:
            if not _is_taken(lock, place, is_optional=is_default and not force):
                continue
            if place == folder:
                validate_output_folder(place, force)
            elif os.path.exists(place):
                continue
            else:
                print_notice(f"{str(folder)!r} is in use, so this run is {str(place)!r}")
            yield place
            return
        finally:
            lock.release()


def _is_taken(lock: FolderLock, folder: Path, *, is_optional: bool) -> bool:
    """True once the lock is held, False if it is another's and ``is_optional``."""
    try:
        lock.acquire()
        recover_folder(folder)
    except FolderInUse:
        if not is_optional:
            raise
        return False
    except OSError as error:
        raise KavgError(f"cannot write {str(folder)!r}: {error.strerror}; use --out DIR") from None
    return True


@contextmanager
def hold_run_folder(folder: Path) -> Iterator[Path]:
    """Hold the lock of a folder whose run may be continued.

    Where nothing can be written no lock is held: ``validate_writable`` refuses to continue there.

    Raises:
        FolderInUse: Another process writes there.
        KavgError: The lock cannot be written for another reason.
    """
    lock = FolderLock(folder)
    try:
        _hold_if_writable(lock, folder)
        yield folder
    finally:
        lock.release()


def _hold_if_writable(lock: FolderLock, folder: Path) -> None:
    recover_before_reading(folder)  # it may have been moved aside
    if not os.path.isdir(folder):
        return  # there is no run
    try:
        lock.acquire()
        recover_folder(folder)
    except OSError as error:
        if is_writable(folder):
            raise KavgError(f"cannot write to {str(folder)!r}: {error.strerror}") from None
