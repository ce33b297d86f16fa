"""A limit on what no other thread could end: it lies in the operating system's hands."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def or_end(seconds: float, *, silently: bool = False) -> Iterator[None]:
    """End this process, with code 1, if what is inside lasts longer; its traceback is printed.

    For calls of MPI that wait for others and let no other thread run.

    >>> with or_end(60.0):
    ...     "done"
    'done'
    """
    with open(os.devnull, "w") as nowhere:
        stream = nowhere if silently else sys.__stderr__ or sys.stderr
        faulthandler.dump_traceback_later(seconds, exit=True, file=stream)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
