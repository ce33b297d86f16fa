"""Where a run may be written: refused before any work is done, and taken by one run only."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from kavg.errors import KavgError
from kavg.storage.atomic import flush, put_back, real
from kavg.storage.checkpoints import FOLDER, stored


def check_folder(folder: Path, force: bool) -> None:
    """Refuse what is not to be overwritten or cannot be written, before any work is done."""
    name = repr(str(folder))
    try:
        put_back(folder)
        if folder.exists() and not force:
            raise KavgError(taken(folder))
        if folder.exists() and not replaceable(folder):
            raise KavgError(
                f"{name} is not a run folder of kavg and is not overwritten; use --out DIR"
            )
        place = real(folder)
        above = next(path for path in place.parents if os.path.lexists(path))
    except OSError as error:
        raise KavgError(f"cannot write {name}: {error.strerror}; use --out DIR") from None
    if place.is_symlink() or not above.is_dir() or not os.access(above, os.W_OK):
        raise KavgError(
            f"cannot write {name}: {str(above)!r} is not a folder to write in; use --out DIR"
        )


def check_writable(folder: Path) -> None:
    """Refuse to resume where nothing can be written: in the folder, or beside it at the end."""
    for place in (folder, real(folder).parent):
        if not os.access(place, os.W_OK | os.X_OK):
            raise KavgError(f"cannot write to {str(place)!r}, where the run is to go on")


def taken(folder: Path) -> str:
    """What to do about a folder that is there already."""
    name = repr(str(folder))
    if unfinished(folder):
        return (
            f"an unfinished run is in {name}: {resume_command(folder)} continues it; "
            "--force starts anew"
        )
    return f"{name} exists already; use --force to overwrite it, or --out DIR"


def resume_command(folder: Path) -> str:
    """What a shell needs to be told."""
    return f"kavg resume {shlex.quote(str(folder))}"


def unfinished(folder: Path) -> bool:
    """Does it hold checkpoints?"""
    # pathlib's own raises where a name is too long.
    return os.path.isdir(folder / FOLDER) and bool(stored(folder / FOLDER))


def check_is_folder(folder: Path) -> None:
    """Raise KavgError if there is no such folder, or its run is not finished."""
    if not os.path.isdir(folder):  # pathlib's own raises where a name is too long
        raise KavgError(f"there is no folder {str(folder)!r}; give the one that kavg run wrote")
    refuse_unfinished(folder)


def refuse_unfinished(folder: Path) -> None:
    """Refuse to read results that are not there yet."""
    if unfinished(folder) and not (folder / "trajectory.npz").exists():
        raise KavgError(
            f"the run in {str(folder)!r} is not finished; {resume_command(folder)} goes on with it"
        )


def replaceable(folder: Path) -> bool:
    """Is it a run folder, finished or not, or an empty one, but for a checkpoint that failed?"""
    ours = ("config.toml", "trajectory.npz", "summary.json")
    return folder.is_dir() and (
        all((folder / name).exists() for name in ours)
        or unfinished(folder)
        or all(path.name == FOLDER and nothing_whole(path) for path in folder.iterdir())
    )


def nothing_whole(folder: Path) -> bool:
    """Is it the folder of a run that ended while it wrote its first checkpoint?"""
    return folder.is_dir() and all(path.name.endswith(".partial") for path in folder.iterdir())


def forget_checkpoints(folder: Path) -> None:
    """Drop what an earlier run left: its checkpoints must not be taken for the new run's."""
    try:
        if (folder / FOLDER).is_dir():
            shutil.rmtree(folder / FOLDER)
    except OSError as error:
        raise KavgError(
            f"cannot remove {str(folder / FOLDER)!r}: {error.strerror}; use --out DIR"
        ) from None


def names(folder: Path) -> Iterator[Path]:
    """``folder``, ``folder-2``, ...: another run may take a name while this one computes."""
    return (folder if i == 1 else folder.with_name(f"{folder.name}-{i}") for i in count(1))


def unused(folder: Path) -> Path:
    """The first of these names that nobody has."""
    return next(path for path in names(folder) if not path.exists())


def claimed(folder: Path) -> Path:
    """The first of these names that could be made: two runs cannot make the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for path in names(folder):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        flush(path.parent)
        return path
    raise AssertionError("names never end")
