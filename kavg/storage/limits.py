"""The memory available to this process, and sizes in binary units."""

from __future__ import annotations

import math
import os
from typing import Final

UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def memory_limit() -> float:
    """Bytes that this process can use at most: the machine's, or fewer by ``ulimit -v``.

    All of the machine's memory and not what is free at the moment, so that the same settings are
    always accepted or always rejected.  Infinite if the system does not report it.
    """
    return min(_physical_memory(), _address_space())


def _physical_memory() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):  # not a Unix, or one without these names
        return math.inf


def _address_space() -> float:
    """Bytes of address space that the shell allows (``ulimit -v``)."""
    try:
        import resource
    except ImportError:  # not a Unix
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else float(limit)


def format_bytes(size: float) -> str:
    """A number of bytes in binary units, to three digits.

    >>> format_bytes(8e12), format_bytes(100), format_bytes(2**90)
    ('7.28 TiB', '100 bytes', '1.07e+09 EiB')
    """
    power = 0 if size < 1024 else min(int(math.log2(size) // 10), len(UNITS) - 1)
    return f"{size / 1024**power:.3g} {UNITS[power]}"
