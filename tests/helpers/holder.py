"""Processes that hold the lock of a folder."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kavg.storage.locks.folder_lock import FolderLock

FORK = multiprocessing.get_context("fork")
PATIENCE = 30


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[int]:
    """Another process holds the lock of a folder meanwhile; yields its number."""
    ready = FORK.Event()
    process = FORK.Process(target=_hold, args=(folder, ready), daemon=True)
    process.start()
    assert ready.wait(PATIENCE)
    try:
        yield process.pid
    finally:
        process.kill()
        process.join(PATIENCE)


def _hold(folder: Path, ready: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    lock = FolderLock(folder)
    lock.acquire()
    ready.set()
    signal.pause()


def leave_lock(folder: Path) -> None:
    """Leave the lock of a process that was killed."""
    with held_elsewhere(folder):
        pass


def at_once(count: int, action: Callable[[], Any]) -> list[Any]:
    """What ``action``, a generator of one value, yields in processes that begin at one instant.

    None of them leaves it before all have entered it, or failed; an error stands for its text.
    """
    begin, end, results = FORK.Barrier(count), FORK.Barrier(count), FORK.Queue()

    def take_part() -> None:
        begin.wait(PATIENCE)
        try:
            with contextmanager(action)() as value:
                results.put(value)
                end.wait(PATIENCE)
        except ValueError as error:
            results.put(str(error))
            end.wait(PATIENCE)

    processes = [FORK.Process(target=take_part) for _ in range(count)]
    for process in processes:
        process.start()
    found = [results.get(timeout=PATIENCE) for _ in processes]
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0] * count
    return found


def start_and_end(words: tuple[str, ...] = ("true",)) -> int:
    """The number of a process that has ended."""
    return os.waitpid(os.spawnlp(os.P_NOWAIT, words[0], *words), 0)[0]
