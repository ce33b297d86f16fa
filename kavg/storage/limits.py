"""How much memory there is, so that what cannot fit is refused before it is taken."""

from __future__ import annotations

import math
import os
from typing import Final

UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def room() -> float:
    """Bytes that this process could have at most: the machine's, or less if the shell says so.

    All of the machine's memory and not what is free now: the same settings are then refused on
    one day as on another.  Infinite where the system does not say.
    """
    return min(physical(), allowed())


def physical() -> float:
    """Bytes of memory of this machine."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def allowed() -> float:
    """Bytes of address space that the shell allows (``ulimit -v``)."""
    try:
        import resource
    except ImportError:  # not a Unix
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if limit == resource.RLIM_INFINITY else float(limit)


def in_words(size: float) -> str:
    """A number of bytes to three digits.

    >>> in_words(8e12), in_words(100), in_words(2**90)
    ('7.28 TiB', '100 bytes', '1.07e+09 EiB')
    """
    power = 0 if size < 1024 else min(int(math.log2(size) // 10), len(UNITS) - 1)
    return f"{size / 1024**power:.3g} {UNITS[power]}"
