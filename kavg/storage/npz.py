"""Reader of ``.npz`` archives from untrusted sources; no other module opens archives.

NumPy reads the arrays.  Sizes and types that a file claims are validated before memory is
allocated:

* the directory of the archive has at most ``DIRECTORY`` bytes;
* members have plain names that end in ``.npy``, each once; they are stored or deflated, not
  encrypted, do not overlap, and none claims more than deflate can give;
* together they unpack to at most ``most_bytes``;
* arrays are as ``kavg.storage.npy`` describes.

Zip's checksum then covers all bytes that were read.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage.limits import format_bytes, memory_limit
from kavg.storage.npy import HEADER, read_guarded, validate_header
from kavg.storage.npy import UNREADABLE as UNREADABLE

DIRECTORY: Final = 2**22
TAIL: Final = 2**17
"""Bytes at the end of a file in which zip looks for the directory: a comment has 64 KiB at most."""
SMALL: Final = 2**30
"""Bytes to which an archive of any size may unpack."""
RATIO: Final = 100
"""Beyond ``SMALL``, the bytes that may be unpacked for each byte of the archive."""
DEFLATE: Final = 1032
"""Most bytes that deflate can unpack from one."""
Arrays = dict[str, NDArray[Any]]


def read_archive(
    path: str | Path, wanted: Collection[str] | None = None, *, most_bytes: float | None = None
) -> Arrays:
    """Read the arrays of an archive by name, or only those ``wanted``.

    ``most_bytes`` is the limit on what they unpack to, by default ``max(1 GiB, 100 size)`` for a
    file of ``size`` bytes, but never more than ``memory_limit()``.  Raises ``KavgError`` for
    anything wrong with the file; the message can follow the name of the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     np.savez(f"{place}/data.npz", labels=np.array([0, 1, 1]))
    ...     read_archive(f"{place}/data.npz", ["labels"])
    {'labels': array([0, 1, 1])}
    """
    return read_guarded(path, lambda file, size: unpack_archive(file, size, wanted, most_bytes))


def list_arrays(path: str | Path) -> list[str]:
    """Return the names of the arrays in an archive, without reading them.

    Raises ``KavgError`` for anything wrong with its directory.
    """

    def list_members(file: BinaryIO, size: int) -> list[str]:
        with zipfile.ZipFile(_BoundedFile(file)) as archive:
            return [*_validate_members(archive.infolist(), size)]

    return read_guarded(path, list_members)


def unpack_archive(
    file: BinaryIO, size: int, wanted: Collection[str] | None = None, most: float | None = None
) -> Arrays:
    """Read the arrays of an open archive of ``size`` bytes.

    Unlike ``read_archive`` it raises any of ``UNREADABLE``, for callers with messages of their own.
    """
    with zipfile.ZipFile(_BoundedFile(file)) as archive:
        members = _select_members(_validate_members(archive.infolist(), size), wanted)
        _validate_total(members.values(), _default_limit(size) if most is None else most)
        return {name: _read_array(archive, member) for name, member in members.items()}


def _default_limit(size: int) -> float:
    # Deflate shrinks measured series two- or threefold, tables of few distinct numbers tenfold and
    # constant arrays a thousandfold, so only constants of more than 1 GiB are rejected.
    return min(memory_limit(), max(SMALL, RATIO * size))


@final
class _BoundedFile:
    """A file of which at most ``DIRECTORY`` bytes can be read at once.

    ``zipfile`` would read a directory of any size that the end of the archive claims.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.file = file

    def read(self, size: int = -1) -> bytes:
        if size > DIRECTORY:
            raise KavgError(f"its directory has {size} bytes, the limit is {DIRECTORY}")
        # zipfile reads without a size only to find the directory's end, in the last 64 KiB.
        return self.file.read(size if size >= 0 else TAIL)


def _validate_members(members: Sequence[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """Members by the names of their arrays, once each of them is one that savez writes."""
    by_name: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        _validate_member(member)
        name = member.filename.removesuffix(".npy")
        if name in by_name:
            raise KavgError(f"it holds {member.filename[:60]!r} twice")
        by_name[name] = member
    if sum(member.compress_size for member in members) > size:
        raise KavgError("its members overlap: together they are larger than the file")
    return by_name


def _validate_member(member: zipfile.ZipInfo) -> None:
    name, shown = member.filename, repr(member.orig_filename[:60])
    if name != member.orig_filename or {"/", "\\"} & {*name} or not name.endswith(".npy"):
        raise KavgError(f"its member {shown} is not named as an array, NAME.npy")
    if member.flag_bits & 1:
        raise KavgError(f"its member {shown} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise KavgError(f"its member {shown} is packed by another method than deflate")
    most = DEFLATE if member.compress_type == zipfile.ZIP_DEFLATED else 1
    if member.file_size > most * member.compress_size:
        raise KavgError(
            f"its member {shown} claims {member.file_size} bytes, more than "
            f"{member.compress_size} can unpack to"
        )


def _select_members(
    members: dict[str, zipfile.ZipInfo], wanted: Collection[str] | None
) -> dict[str, zipfile.ZipInfo]:
    for name in wanted or ():
        if name not in members:
            raise KavgError(f"it has no array {name!r}, only {[*members][:9]}")
    return members if wanted is None else {name: members[name] for name in wanted}


def _validate_total(members: Iterable[zipfile.ZipInfo], most: float) -> None:
    total = sum(member.file_size for member in members)
    if total > most:
        raise KavgError(
            f"it unpacks to {format_bytes(total)}, and {format_bytes(most)} is allowed; "
            "if this is meant, save it without compression (np.savez)"
        )


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    # Python 2 wrote headers that NumPy reads with a warning.
    with warnings.catch_warnings(action="ignore"):
        with archive.open(member) as stream:
            validate_header(stream.read(HEADER), member.filename, member.file_size)
        # np.load would take "x" for "x.npy" in an archive that has both; this is its reader.
        with archive.open(member) as stream:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array
