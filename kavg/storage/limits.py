"""The memory available to this process, and sizes in binary units."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from kavg.storage.control_groups import read_group_limits

UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@final
@dataclass(frozen=True)
class MemoryLimit:
    """Bytes of memory and their ``source``: ``"ulimit -v"``, a file of a control group.

    ``ranks`` processes of this job share them.
    """

    size: float
    source: str
    ranks: int = 1

    @property
    def share(self) -> float:
        """Bytes for each of the ranks."""
        return self.size / self.ranks

    def __str__(self) -> str:
        """Return the size with its source: ``300 MiB (ulimit -v)``."""
        each = f" for each of {self.ranks} ranks" if self.ranks > 1 else ""
        return f"{format_bytes(self.share)}{each} ({self.source})"


def memory_limit() -> float:
    """Bytes that this process can use at most; infinite if the system does not report it."""
    return min((limit.share for limit in list_memory_limits()), default=math.inf)


def list_memory_limits(ranks: int = 1) -> list[MemoryLimit]:
    """Return all limits that the system reports, the smallest for each of ``ranks`` ranks first.

    The memory of the machine and the limits of the process's control groups (containers, batch
    systems), which the ranks of a machine share, and those of the shell, which each rank has for
    itself.  None of them changes while a job runs, so the same settings are always accepted or
    always refused, on every rank; ``available_memory`` does change.
    """
    shared = {"the machine": _physical_memory(), **read_group_limits()}
    limits = [MemoryLimit(size, source, ranks) for source, size in shared.items()]
    limits += [MemoryLimit(size, source) for source, size in _shell_limits().items()]
    known = (limit for limit in limits if limit.size < math.inf)
    return sorted(known, key=lambda limit: limit.share)


def _physical_memory() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):  # not a Unix, or one without these names
        return math.inf


def available_memory(meminfo: Path = Path("/proc/meminfo")) -> float:
    """Return the bytes that programs can take now without the machine swapping, as Linux estimates.

    Infinite if the system does not report it.
    """
    try:
        found = re.search(r"^MemAvailable: +(\d+) kB$", meminfo.read_text("ascii"), re.MULTILINE)
    except (OSError, ValueError):
        return math.inf
    return 1024.0 * int(found[1]) if found else math.inf


def _shell_limits() -> dict[str, float]:
    """Bytes of address space and of data that the shell allows, by the command that sets them."""
    try:
        import resource
    except ImportError:  # not a Unix
        return {}
    numbers = {"ulimit -v": resource.RLIMIT_AS, "ulimit -d": resource.RLIMIT_DATA}
    limits = {name: resource.getrlimit(number)[0] for name, number in numbers.items()}
    return {name: float(n) for name, n in limits.items() if n != resource.RLIM_INFINITY}


def format_bytes(size: float) -> str:
    """A number of bytes in binary units, to three digits.

    >>> format_bytes(8e12), format_bytes(100), format_bytes(2**90)
    ('7.28 TiB', '100 bytes', '1.07e+09 EiB')
    """
    power = 0 if size < 1024 else min(int(math.log2(size) // 10), len(UNITS) - 1)
    return f"{size / 1024**power:.3g} {UNITS[power]}"
