"""Limits of memory that Linux's control groups set: those of containers and of batch systems."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

LIMIT_FILES: Final = {
    "cgroup2": ("memory.max", "memory.high"),
    "cgroup": ("memory.limit_in_bytes",),
}
"""The files with a limit in bytes, by the type of the file system: version 2 and version 1."""
UNLIMITED: Final = 2**60
"""Bytes from which a limit is none; version 1 writes 2^63, less a page."""


class _Mount(NamedTuple):
    """A mounted hierarchy of control groups: the group ``root`` is the folder ``place``."""

    kind: str
    root: PurePosixPath
    place: Path


def read_group_limits(process: Path = Path("/proc/self")) -> dict[str, float]:
    """Return the limits in bytes of a process's group and of all groups around it, by file.

    Groups without a limit are left out; elsewhere than on Linux there are none.
    """
    try:
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="replace")
        groups = (process / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    files = [
        folder / name
        for mount in _memory_mounts(mounts)
        for folder in _folders(mount, _own_group(groups, mount.kind))
        for name in LIMIT_FILES[mount.kind]
    ]
    limits = {str(file): _read_limit(file) for file in files}
    return {file: limit for file, limit in limits.items() if limit < math.inf}


def _memory_mounts(mountinfo: str) -> Iterator[_Mount]:
    """The hierarchies with limits of memory; the format is that of proc_pid_mountinfo(5)."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        place, kind = left.split(" "), right.split(" ")
        if len(place) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2" or (kind[0] == "cgroup" and "memory" in kind[2].split(",")):
            yield _Mount(
                kind[0], PurePosixPath(_decode_octal(place[3])), Path(_decode_octal(place[4]))
            )


def _decode_octal(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _own_group(groups: str, kind: str) -> PurePosixPath:
    """The process's group in a hierarchy: of lines such as ``4:cpu,memory:/job/7``."""
    for line in groups.splitlines():
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0" if kind == "cgroup2" else "memory" in controllers.split(","):
            return PurePosixPath(path)
    return PurePosixPath("/")


def _folders(mount: _Mount, group: PurePosixPath) -> Iterator[Path]:
    """The folders of a group and of the groups around it, as far as they are mounted."""
    # In a container the path may be that of the host, of which only a part is mounted.
    is_inside = group.is_relative_to(mount.root) and ".." not in group.parts
    folder = mount.place / group.relative_to(mount.root) if is_inside else mount.place
    yield folder
    while folder != mount.place:
        folder = folder.parent
        yield folder


def _read_limit(file: Path) -> float:
    try:
        limit = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max", or no such file in this group
        return math.inf
    return float(limit) if limit < UNLIMITED else math.inf
