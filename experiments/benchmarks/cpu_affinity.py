"""Which cores a process may use, where the system lets it say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def pinnable_cores() -> list[int]:
    """The cores this process may be pinned to; none where the system cannot pin one.

    ``kavg.cli.doctor.machine.usable_cores`` counts all cores there.
    """
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin(core: int) -> None:
    """Stay on one core from now on."""
    os.sched_setaffinity(0, {core})


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Stay on one core, and so do the processes started inside the ``with`` block."""
    before = pinnable_cores()
    if core is None or not before:
        yield
        return
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
