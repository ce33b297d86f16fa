"""A time limit for calls during which no other thread of this process can run."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exit_after(seconds: float, *, silently: bool = False) -> Iterator[None]:
    """End this process with code 1 and a traceback if the ``with`` block lasts longer.

    For calls of MPI that wait for other ranks and hold the interpreter's lock: a ``Watchdog``
    cannot run then, but faulthandler's timer, a thread in C, does.

    >>> with exit_after(60.0):
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
