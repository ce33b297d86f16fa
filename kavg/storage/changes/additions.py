"""Files added to a folder: all of them and its manifest, or none.

They wait complete in ``.kavg.pending``, and are then moved into place one by one, the manifest
last; whoever comes next moves what is still there.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final

from kavg.errors import KavgError
from kavg.storage.atomic import make_folders, open_exclusively, remove_tree, sync_folder
from kavg.storage.changes.replacement import STAGE, read_mark, remove_stage

PENDING: Final = ".kavg.pending"
"""Files that are to be added to a folder, with the manifest that they lead to."""
LAST: Final = "manifest.sha256"
TOKEN: Final = re.compile("[0-9a-f]{8}")
ADDED: Final = "add"
"""What the draft of an addition is named after."""


def commit_addition(folder: Path, draft: Path) -> None:
    """Add the files of a draft to a folder, also if this is interrupted.

    If not even the first can be moved, none is added; an earlier addition that could not be
    finished is given up.

    Raises ``KavgError`` if something is in the way, and ``OSError`` if they cannot be moved.
    """
    pending = folder / PENDING
    _require_places(folder, draft)
    _discard_addition(folder)
    draft.replace(pending)
    sync_folder(folder)
    before = _list_pending(pending)
    try:
        finish_addition(folder)
    except (OSError, KavgError):
        if _list_pending(pending) == before:
            _discard_addition(folder)
        raise


def _discard_addition(folder: Path) -> None:
    """Remove what is pending, under the name of a draft, as a part of it must not be added."""
    pending = folder / PENDING
    token = read_mark(pending)
    draft = folder / f".{ADDED}.{token if TOKEN.fullmatch(token) else secrets.token_hex(4)}.partial"
    if os.path.lexists(pending):
        pending.replace(draft)
        remove_stage(draft)


def _list_pending(pending: Path) -> list[Path]:
    """Files in the order in which they are moved."""
    paths = [Path(place, name) for place, _, names in os.walk(pending) for name in names]
    paths = [path for path in paths if path != pending / STAGE]
    return sorted(paths, key=lambda path: (path == pending / LAST, path))


def _require_places(folder: Path, pending: Path) -> None:
    """Raise KavgError if a file cannot be moved to its place, before the first one is."""
    for path in _list_pending(pending):
        name = path.relative_to(pending)
        target = folder / name
        require_no_link(folder, target.parent)
        above = next(place for place in target.parents if os.path.lexists(place))
        reason = None
        if os.path.isdir(target) and not target.is_symlink():
            reason = f"{str(target)!r} is a folder"
        elif not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            reason = f"{str(above)!r} is not a writable folder"
        if reason is not None:
            raise KavgError(f"cannot add {str(name)!r}: {reason}; change that, or use --out DIR")


def finish_addition(folder: Path) -> bool:
    """Move pending files into their places, the manifest last; True if there were any.

    Raises ``KavgError`` if something is in the way, and ``OSError`` if they cannot be moved.
    """
    pending = folder / PENDING
    if not os.path.isdir(pending) or pending.is_symlink():
        return False
    _require_places(folder, pending)
    paths = _list_pending(pending)
    for path in paths:
        target = folder / path.relative_to(pending)
        make_folders(target.parent)
        _move_file(path, target)
        sync_folder(target.parent)
    remove_tree(pending)
    sync_folder(folder)
    return bool(paths)


def _move_file(path: Path, target: Path) -> None:
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A folder of figures may be mounted from another disk.
        draft = target.with_name(f".{target.name[:40]}.00000000.partial")
        draft.unlink(missing_ok=True)
        with path.open("rb") as source, open_exclusively(draft) as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        draft.replace(target)
        path.unlink()


def require_no_link(folder: Path, place: Path) -> None:
    """Raise KavgError if a folder between ``folder`` and ``place`` is a link.

    What kavg writes or deletes in a folder would otherwise be outside of it.
    """
    while place != folder and folder in place.parents:
        if place.is_symlink():
            raise KavgError(
                f"{str(place)!r} is a link, and kavg writes through no link in a run folder; "
                "put a folder in its place, or use --out DIR"
            )
        place = place.parent
