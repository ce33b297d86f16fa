"""Exchange of two names in one step, where the system has it.

Linux does it by ``renameat2`` with ``RENAME_EXCHANGE``, which Python does not offer; it is the only
function of another language that kavg calls by itself.  Callers rename twice where it is missing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

AT_FDCWD: Final = -100
"""The current folder in place of an open one (``fcntl.h``)."""
RENAME_EXCHANGE: Final = 2
UNSUPPORTED: Final = (errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.ENOTSUP, errno.EPERM)
"""What a kernel, a sandbox or a file system answers that has no exchange."""


def exchange_paths(a: Path, b: Path) -> bool:
    """Exchange what two paths name, atomically; False if the system cannot, and nothing changed.

    Raises ``OSError`` if it can and fails, for instance because one of them does not exist.
    """
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:  # an older C library
        return False
    rename.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if rename(AT_FDCWD, os.fsencode(a), AT_FDCWD, os.fsencode(b), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(a), None, str(b))
