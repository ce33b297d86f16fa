"""Arrays from ``.npz`` archives, which may come from anyone: the one place that opens them.

What a file says of itself is checked before memory is taken for it:

* the directory of the archive has at most ``DIRECTORY`` bytes;
* members have plain names that end in ``.npy``, each once; they are stored or deflated, not
  encrypted, do not share bytes, and none claims more than deflate can give;
* together they unpack to at most ``most_bytes``;
* the header of an array has at most ``HEADER`` bytes; its type is of numbers or text, so that
  nothing in it is an object and no pickle is ever read; its shape is that of the bytes that follow.

Then the array is allocated and filled, and zip's checksum tells whether all bits are right.
"""

from __future__ import annotations

import io
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage.limits import in_words, room

HEADER: Final = 10_000
DIRECTORY: Final = 2**22
TAIL: Final = 2**17
"""Where an archive ends, with a comment of 64 KiB at most."""
CHUNK: Final = 2**20
SMALL: Final = 2**30
RATIO: Final = 100
DEFLATE: Final = 1032
"""No stream of deflate gives more bytes for each of its own."""
KINDS: Final = "biufSU"
READERS: Final = {
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}
"""Versions of ``.npy``, with the bytes of their header's length; 3 is for named fields alone."""

UNREADABLE: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    RuntimeError,  # NotImplementedError and RecursionError too
    MemoryError,
    OverflowError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zip and NumPy say of a file that is damaged, or meant to be."""

Arrays = dict[str, NDArray[Any]]


def read(
    path: str | Path, wanted: Collection[str] | None = None, *, most_bytes: float | None = None
) -> Arrays:
    """The arrays of an archive by name, or only those ``wanted``.

    ``most_bytes`` is by default what ``limit`` allows a file of its size.  Whatever is wrong with
    the file is a ``KavgError``, in words that can follow its name.
    """
    try:
        if not Path(path).is_file():
            raise KavgError("it is no file")
        with Path(path).open("rb") as file:
            if file.peek(6)[:6] == np.lib.format.MAGIC_PREFIX:
                raise KavgError("it holds a single array and is no archive")
            return unpacked(file, os.fstat(file.fileno()).st_size, wanted, most_bytes)
    except UNREADABLE as fault:
        if isinstance(fault, KavgError):
            raise
        words = " ".join(str(fault).split()) or type(fault).__name__
        raise KavgError(words[:200]) from None


def unpacked(
    file: BinaryIO, size: int, wanted: Collection[str] | None = None, most: float | None = None
) -> Arrays:
    """The same from an open file of ``size`` bytes; faults are those of ``UNREADABLE``."""
    with zipfile.ZipFile(Bounded(file)) as archive:
        members = chosen(checked(archive.infolist(), size), wanted)
        check_total(members.values(), limit(size) if most is None else most)
        return {name: array(archive, member) for name, member in members.items()}


def limit(size: int) -> float:
    """What a file of ``size`` bytes may unpack to: ``max(1 GiB, 100 size)``, if there is room.

    Measured series shrink two- or threefold, tables of few numbers tenfold, and a constant array a
    thousandfold: a run of constants is let through up to the gibibyte that any machine has, and a
    file with one honest byte in a hundred at any size.  Data that shrink further can be saved
    without compression.
    """
    return min(room(), max(SMALL, RATIO * size))


@final
class Bounded:
    """A file that refuses to be read by more than ``DIRECTORY`` bytes at once, as zip would."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self.file = file

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; "all the rest" is asked for only in search of the archive's end."""
        if size > DIRECTORY:
            raise KavgError(f"its directory has {size} bytes; {DIRECTORY} are enough for anyone")
        return self.file.read(size if size >= 0 else TAIL)


def checked(members: Sequence[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by the names of their arrays, once nothing is wrong with any of them."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        refuse(member)
        name = member.filename.removesuffix(".npy")
        if name in found:
            raise KavgError(f"it holds {member.filename[:60]!r} twice")
        found[name] = member
    if sum(member.compress_size for member in members) > size:
        raise KavgError("its members overlap: together they are larger than the file")
    return found


def refuse(member: zipfile.ZipInfo) -> None:
    """Refuse a member that ``np.savez`` would not have written."""
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


def chosen(
    members: dict[str, zipfile.ZipInfo], wanted: Collection[str] | None
) -> dict[str, zipfile.ZipInfo]:
    """Those that are wanted."""
    for name in wanted or ():
        if name not in members:
            raise KavgError(f"it has no array {name!r}, only {[*members][:9]}")
    return members if wanted is None else {name: members[name] for name in wanted}


def check_total(members: Iterable[zipfile.ZipInfo], most: float) -> None:
    """Refuse more than ``most`` bytes in all."""
    total = sum(member.file_size for member in members)
    if total > most:
        raise KavgError(
            f"it unpacks to {in_words(total)}, and {in_words(most)} is allowed; "
            "if this is meant, save it without compression (np.savez)"
        )


def array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, filled as far as its stream goes and not beyond."""
    with archive.open(member) as stream:
        shape, fortran, dtype, begun = header(stream, member.filename[:60])
        size, follow = math.prod(shape) * dtype.itemsize, member.file_size - begun
        if min(shape, default=0) < 0 or size != follow:
            raise KavgError(
                f"{member.filename[:60]!r} claims the shape {str(shape)[:60]} of {dtype}, which is "
                f"not of the {follow} bytes that follow"
            )
        found = np.empty(shape[::-1] if fortran else shape, dtype)
        fill(stream, found.reshape(-1).view(np.uint8))
    return found.T if fortran else found


def header(stream: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order and type that an array claims, and the bytes it took to say so."""
    magic = stream.read(8)
    if magic[:6] != np.lib.format.MAGIC_PREFIX or tuple(magic[6:]) not in READERS:
        raise KavgError(f"{name!r} does not begin as an array of version 1 or 2")
    width, reader = READERS[tuple(magic[6:])]
    prefix = stream.read(width)
    length = int.from_bytes(prefix, "little")
    if length > HEADER:
        raise KavgError(f"the header of {name!r} claims {length} bytes; {HEADER} are enough")
    with warnings.catch_warnings(action="ignore"):  # of Python 2's spelling
        shape, fortran, dtype = reader(io.BytesIO(prefix + stream.read(length)), HEADER)
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        raise KavgError(f"{name!r} is of type {str(dtype)[:60]}; only numbers and text are read")
    return shape, fortran, dtype, 8 + width + length


def fill(stream: Any, out: NDArray[np.uint8]) -> None:
    """Read what ``out`` has room for, in chunks: its pages are touched only by what comes."""
    for first in range(0, len(out), CHUNK):
        part = out[first : first + CHUNK]
        read = stream.read(len(part))
        if len(read) < len(part):
            raise EOFError("it ends early")
        part[:] = np.frombuffer(read, np.uint8)
