"""Output folders: validated before the first round, each claimed by a single run."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from kavg.errors import FolderInUse, KavgError
from kavg.storage.atomic import (
    MOST_PARTS,
    make_folders,
    remove_tree,
    resolve_links,
    sync_folder,
    temporary_stem,
)
from kavg.storage.changes.additions import require_no_link
from kavg.storage.checkpoint_line import find_other_version
from kavg.storage.checkpoints import FOLDER, list_checkpoints
from kavg.storage.locks.folder_lock import FolderLock
from kavg.storage.manifest import list_files


def validate_place(folder: Path) -> None:
    """Raise KavgError if nothing can be written under the name of a folder."""
    name = repr(str(folder))
    if len(folder.parts) > MOST_PARTS:
        raise KavgError(
            f"cannot write {name[:60]}...: its path has {len(folder.parts)} parts, and "
            f"{MOST_PARTS} are allowed; use --out DIR"
        )
    try:
        # lstat raises for a name that is too long; pathlib's exists returns False in Python 3.14.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.lstat(folder)
        place = resolve_links(folder)
        above = next(path for path in place.parents if os.path.lexists(path))
    except OSError as error:
        raise KavgError(f"cannot write {name}: {error.strerror}; use --out DIR") from None
    # resolve_links leaves no link but one that leads to itself.
    if place.is_symlink() or not above.is_dir() or not os.access(above, os.W_OK):
        raise KavgError(
            f"cannot write {name}: {str(above)!r} is not a writable folder; use --out DIR"
        )


def validate_output_folder(folder: Path, force: bool) -> None:
    """Raise KavgError if a run must not be written to ``folder``, which is locked.

    An existing folder needs ``force``, and must then be a run folder or empty.
    """
    if not os.path.exists(folder):  # a link that leads nowhere yet is followed
        return
    name = repr(str(folder))
    if not force:
        raise KavgError(_describe_existing(folder))
    try:
        is_replaceable = _is_replaceable(folder)
        if is_replaceable:
            list_files(folder)  # it can be read, and is not nested too deeply to be removed
    except OSError as error:
        raise KavgError(f"cannot write {name}: {error.strerror}; use --out DIR") from None
    except KavgError as error:
        raise KavgError(f"cannot replace {name}: {error}; use --out DIR") from None
    if not is_replaceable:
        raise KavgError(f"{name} is not a run folder of kavg and is not overwritten; use --out DIR")


def validate_writable(folder: Path) -> None:
    """Raise KavgError if a run cannot be resumed in ``folder``.

    Checkpoints are written to it and the finished run beside it, so both must be writable.
    """
    for place in (folder, resolve_links(folder).parent):
        if not os.access(place, os.W_OK | os.X_OK):
            raise KavgError(f"cannot write to {str(place)!r}, where the run is to continue")
    require_no_link(folder, folder / FOLDER)


def is_writable(folder: Path) -> bool:
    """True if a folder and the one above it can be written, by what the system says."""
    places = (folder, resolve_links(folder).parent)
    return all(os.access(place, os.W_OK | os.X_OK) for place in places)


def _describe_existing(folder: Path) -> str:
    name = repr(str(folder))
    if is_unfinished(folder):
        way = _describe_resumption(folder)
        return f"an unfinished run is in {name}: {way}; --force starts again"
    return f"{name} exists already; use --force to overwrite it, or --out DIR"


def resume_command(folder: Path) -> str:
    """Return the shell command that resumes the run in a folder.

    >>> resume_command(Path("runs/my run"))
    "kavg resume 'runs/my run'"
    """
    return f"kavg resume {shlex.quote(str(folder))}"


def _describe_resumption(folder: Path) -> str:
    command = resume_command(folder)
    with contextlib.suppress(OSError, KavgError):
        if other := find_other_version(list_checkpoints(folder / FOLDER)[0]):
            return f"kavg {other} alone continues it: pip install kavg=={other}, then {command}"
    return f"{command} continues it"


def is_unfinished(folder: Path) -> bool:
    """True if the folder holds checkpoints, which a run removes when it is finished."""
    # pathlib's own is_dir raises OSError for a name that is too long.
    return os.path.isdir(folder / FOLDER) and bool(list_checkpoints(folder / FOLDER))


def require_finished(folder: Path) -> None:
    """Raise KavgError if the run in a folder has checkpoints and no results yet."""
    if is_unfinished(folder) and not (folder / "trajectory.npz").exists():
        raise KavgError(
            f"the run in {str(folder)!r} is not finished; {_describe_resumption(folder)}"
        )


def require_run_folder(folder: Path) -> None:
    """Raise KavgError if there is no such folder, or its run is not finished."""
    if not os.path.isdir(folder):
        raise KavgError(
            f"there is no folder {str(folder)!r}; give the one that kavg run or kavg sweep wrote"
        )
    require_finished(folder)


def _is_replaceable(folder: Path) -> bool:
    """True for a run folder, finished or not, and for an empty one.

    A folder with nothing but a partial first checkpoint counts as empty.
    """
    ours = ("config.toml", "trajectory.npz", "summary.json")
    return folder.is_dir() and (
        all((folder / name).exists() for name in ours)
        or is_unfinished(folder)
        or all(path.name == FOLDER and _has_only_partial_files(path) for path in folder.iterdir())
    )


def _has_only_partial_files(folder: Path) -> bool:
    return folder.is_dir() and all(path.name.endswith(".partial") for path in folder.iterdir())


def remove_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of an earlier run, so that they are not taken for the new run's.

    Raises ``KavgError`` if they cannot be removed.
    """
    place = folder / FOLDER
    try:
        if place.is_symlink():  # what it leads to is not of this folder
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
    except OSError as error:
        raise KavgError(f"cannot remove {str(place)!r}: {error.strerror}; use --out DIR") from None


def hold_unused_folder(
    folder: Path, is_used: Callable[[Path], bool] = os.path.exists
) -> tuple[Path, FolderLock]:
    """Choose the first of ``folder``, ``folder-2``, ... that does not exist, and hold its lock.

    For a run whose name another program may have taken meanwhile.  The caller holds the lock of
    ``folder``, so the lock that is returned for it is not held again, and releasing that does
    nothing.  ``claim_folder`` also creates the folder.  Raises ``OSError``.
    """
    for path in number_names(folder):
        lock = FolderLock(path)
        if is_used(path):
            continue
        try:
            if path != folder:
                lock.acquire()
        except FolderInUse:
            continue
        if not is_used(path):
            return path, lock
        lock.release()
    raise AssertionError("names are without end")


def claim_folder(folder: Path) -> tuple[Path, FolderLock]:
    """Create the first of ``folder``, ``folder-2``, ... that does not exist, for checkpoints.

    It appears with the folder of its checkpoints in it: nobody could tell an empty one, left by a
    process that was killed, from one of the user.  Returns it with its lock, as
    ``hold_unused_folder`` does.  Raises ``OSError``.
    """
    make_folders(folder.parent)
    path, lock = hold_unused_folder(folder, os.path.lexists)
    stage = path.with_name(f"{temporary_stem(path.name)}.{secrets.token_hex(4)}.partial")
    try:
        (stage / FOLDER).mkdir(parents=True)
        stage.rename(path)
    except BaseException:
        lock.release()
        raise
    finally:
        remove_tree(stage)
    sync_folder(path.parent)
    return path, lock


def number_names(folder: Path) -> Iterator[Path]:
    """Generate ``folder``, ``folder-2``, ``folder-3``, ... without end."""
    return (folder if i == 1 else folder.with_name(f"{folder.name}-{i}") for i in count(1))
