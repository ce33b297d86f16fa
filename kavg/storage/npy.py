"""Reader of arrays in NumPy's format from untrusted sources.

NumPy reads the arrays.  The header of an array ends within ``HEADER`` bytes; its type is one of
numbers or text, so that it holds no objects and pickle is never called; its shape fits the bytes
that follow it.  All this is validated before memory is allocated.
"""

from __future__ import annotations

import io
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from kavg.errors import KavgError
from kavg.storage.limits import format_bytes, memory_limit

HEADER: Final = 10_000
KINDS: Final = "biufSU"
READERS: Final = {
    np.lib.format.magic(1, 0): np.lib.format.read_array_header_1_0,
    np.lib.format.magic(2, 0): np.lib.format.read_array_header_2_0,
}
"""Readers of an array's header by its first 8 bytes; version 3 is for named fields alone."""


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
"""What zip and NumPy raise on a file that is damaged, by accident or on purpose."""

Result = TypeVar("Result")


def read_array_file(path: str | Path) -> NDArray[Any]:
    """Read the array of an ``.npy`` file.

    Raises ``KavgError`` for anything wrong with the file; the message can follow its name.
    """
    return read_guarded(path, _read_single, single=True)


def read_guarded(
    path: str | Path, read: Callable[[BinaryIO, int], Result], *, single: bool = False
) -> Result:
    """Return what ``read`` makes of an open file and its size.

    Raises KavgError for anything wrong with the file; with ``single`` it may be a single array.
    """
    try:
        if not Path(path).is_file():
            raise KavgError("it is not a file")
        with Path(path).open("rb") as file:
            # zipfile would only say that this is not a zip file.
            if not single and file.peek(6)[:6] == np.lib.format.MAGIC_PREFIX:
                raise KavgError("it holds a single array and is no archive")
            return read(file, os.fstat(file.fileno()).st_size)
    except UNREADABLE as error:
        if isinstance(error, KavgError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise KavgError(reason[:200]) from None


def _read_single(file: BinaryIO, size: int) -> NDArray[Any]:
    if size > memory_limit():
        raise KavgError(f"it holds {format_bytes(size)}, more than there is memory")
    validate_header(file.read(HEADER), "the array", size)
    file.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def validate_header(content: bytes, filename: str, size: int) -> None:
    """Raise KavgError unless the claimed type and shape fit the ``size`` bytes of a file.

    ``content`` are its first ``HEADER`` bytes, or all.
    """
    name, head = repr(filename[:60]), io.BytesIO(content)
    reader = READERS.get(head.read(8))
    if reader is None:
        raise KavgError(f"{name} does not begin as an array of version 1 or 2")
    shape, _, dtype = reader(head, max_header_size=HEADER)
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        raise KavgError(f"{name} is of type {str(dtype)[:60]}; only numbers and text are read")
    follow = size - head.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != follow:
        raise KavgError(
            f"{name} claims the shape {str(shape)[:60]} of {dtype}, but {follow} bytes follow"
        )
