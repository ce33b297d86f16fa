"""Ranks that must agree before they start, and fail together.

An error that every rank raises at the same point is collective: each can end by itself, and rank 0
says it once.  Any other error is one rank's own, and must end the others, which would wait for it
for ever in the next collective.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import numpy as np

from kavg.base import Communicator
from kavg.errors import CollectiveError, KavgError

T = TypeVar("T")

WORDS: Final = 4000
"""Bytes of its own words that each rank shows the others."""


def together(comm: Communicator, what: str, action: Callable[[], T], name: Callable[[T], str]) -> T:
    """The result of ``action``, once all ranks have one and ``name`` calls all of them the same.

    One ``Allgather``.  If all ranks fail alike, that fault is raised on all; if ranks differ, in a
    fault or in the result, what each has is said.
    """
    result: T | KavgError
    try:
        found = result = action()
        mine = name(found)
    except KavgError as error:
        result, mine = error, str(error)
    groups = grouped(comm, mine)
    if len(groups) > 1:
        raise CollectiveError("\n  ".join([f"{what} differ between ranks:", *described(groups)]))
    if isinstance(result, KavgError):
        raise CollectiveError(str(result))
    return result


def on_rank_0(comm: Communicator, action: Callable[[], None]) -> None:
    """Let rank 0 act; a fault it finds is raised on every rank.  One ``Allgather``."""
    mine = ""
    if comm.Get_rank() == 0:
        try:
            action()
        except KavgError as error:
            mine = f"{error.code}{error}"
    said = words(next(iter(grouped(comm, mine))))
    if said:
        raise CollectiveError(said[1:], int(said[0]))


def grouped(comm: Communicator, mine: str) -> dict[bytes, list[int]]:
    """The ranks of each text, rank 0's first: a digest of the text and its first words."""
    own = np.zeros(32 + WORDS, np.uint8)
    text = mine.encode(errors="backslashreplace")  # names of files need not be UTF-8
    own[:32] = np.frombuffer(hashlib.sha256(text).digest(), np.uint8)
    beginning = text[:WORDS]
    own[32 : 32 + len(beginning)] = np.frombuffer(beginning, np.uint8)
    everyone = np.empty((comm.Get_size(), len(own)), np.uint8)
    comm.Allgather(own, everyone)
    groups: dict[bytes, list[int]] = {}
    for rank, row in enumerate(everyone):
        groups.setdefault(row.tobytes(), []).append(rank)
    return groups


def words(row: bytes) -> str:
    """The words of a text that was exchanged."""
    return row[32:].rstrip(b"\0").decode(errors="replace")


def described(groups: dict[bytes, list[int]]) -> list[str]:
    """Who has what."""
    return [f"{spelled(ranks)}: {words(row)}" for row, ranks in groups.items()]


def spelled(ranks: list[int]) -> str:
    """Rank numbers in words.

    >>> spelled([0, 2, 3])
    'ranks 0, 2, 3'
    """
    shown = ", ".join(map(str, ranks[:8])) + (", ..." if len(ranks) > 8 else "")
    return f"rank{'s' if len(ranks) > 1 else ''} {shown}"


@runtime_checkable
class Ending(Protocol):
    """A communicator that hears of the end before it comes."""

    def is_ending(self) -> bool:
        """Does another rank end all at the moment?"""
        ...


def abort(comm: Any, message: str, code: int) -> None:
    """Say what ended this rank, with its name, and end every other rank.

    Where several ranks fail alike, lower ranks speak first and end the others before they do.  A
    rank that is ended by another has nothing to say.
    """
    rank, size = comm.Get_rank(), comm.Get_size()
    time.sleep(min(0.3 * rank, 2.0))
    if not (isinstance(comm, Ending) and comm.is_ending()):
        tell(f"rank {rank} of {size}: {message}" if size > 1 else message)
    if size > 1:
        comm.Abort(code)


def tell(message: str) -> None:
    """Say it on the real stderr, which ``sys.stderr`` is on rank 0 only."""
    stream = sys.__stderr__ or sys.stderr
    # Onto a full disk, into a closed pipe: the others must end nonetheless.
    with suppress(OSError, ValueError):
        stream.write(f"kavg: {message}\n")
        stream.flush()
