"""Collective agreement and collective errors.

An error that every rank raises at the same point is a ``CollectiveError``: each rank ends by
itself, and rank 0 prints it once.  Any other error is one rank's own; that rank must abort the
others, which would wait for it in the next collective.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from kavg.base import Communicator
from kavg.engine.agreement import decode_text, encode_text, group_ranks, name_ranks
from kavg.errors import CollectiveError, KavgError
from kavg.text import escape_lines

T = TypeVar("T")


def agree_on(
    comm: Communicator, what: str, action: Callable[[], T], identify: Callable[[T], str]
) -> T:
    """Run ``action`` on every rank and return its result if all ranks obtained the same.

    Results are the same if ``identify`` gives the same text for them; each rank keeps its own
    object.  One ``Allgather``.  Raises ``CollectiveError`` on every rank if ``action`` raised the
    same ``KavgError`` on all, or if ranks differ in the result or the error: the message then
    begins with ``what`` and lists the text of each rank.
    """
    result: T | KavgError
    try:
        value = result = action()
        text = identify(value)
    except KavgError as error:
        result, text = error, str(error)
    groups = group_ranks(comm, encode_text(text))
    if len(groups) > 1:
        lines = [f"{name_ranks(ranks)}: {decode_text(row)}" for row, ranks in groups.items()]
        raise CollectiveError("\n  ".join([f"{what} differ between ranks:", *lines]))
    if isinstance(result, KavgError):
        raise CollectiveError(str(result))
    return result


def run_on_rank_0(comm: Communicator, action: Callable[[], None]) -> None:
    """Run ``action`` on rank 0 alone, while the other ranks wait.  One ``Allgather``.

    Raises ``CollectiveError`` on every rank, with the message and exit code of a ``KavgError``
    that ``action`` raised.
    """
    text = ""
    if comm.Get_rank() == 0:
        try:
            action()
        except KavgError as error:
            text = f"{error.code}{error}"  # the code is one digit; no error is the empty text
    content_of_rank_0 = next(iter(group_ranks(comm, encode_text(text))))
    message = decode_text(content_of_rank_0)
    if message:
        raise CollectiveError(message[1:], int(message[0]))


def share_bytes(comm: Communicator, content: bytes | None) -> bytes | None:
    """Return rank 0's content on every rank; other ranks' own is not used.

    An ``Allgather`` of the length and, unless the content is None, an ``Allreduce`` of the bytes.

    >>> from kavg import SerialComm
    >>> share_bytes(SerialComm(), b"rounds = 200")
    b'rounds = 200'
    """
    lengths = np.empty(comm.Get_size(), np.int64)
    comm.Allgather(np.array([-1 if content is None else len(content)], np.int64), lengths)
    length = int(lengths[0])
    if length < 0:
        return None
    # A sum, since the communicator of a Python user need not have Bcast: all ranks but 0 add zeros.
    mine, shared = np.zeros(length, np.uint8), np.zeros(length, np.uint8)
    if comm.Get_rank() == 0 and content is not None:
        mine[:] = np.frombuffer(content, np.uint8)
    comm.Allreduce(mine, shared)
    return shared.tobytes()


@runtime_checkable
class SupportsAbort(Protocol):
    """A communicator that can end every rank.

    mpi4py's ``Comm`` and ``WatchedComm`` do; ``SerialComm``, with one rank, need not.
    """

    def Abort(self, errorcode: int) -> Any:
        """End every rank with this exit code."""
        ...


@runtime_checkable
class WarnsOfAbort(Protocol):
    """A communicator that learns of an abort before it takes effect.

    ``WatchedComm`` does.  A rank whose job is being aborted gets signals from the launcher, and
    must not report these as the cause.
    """

    def is_aborting(self) -> bool:
        """Return True if another rank is aborting the job."""
        ...


def abort(comm: Communicator, message: str, code: int) -> None:
    """Print why this rank fails, with its number, and abort the other ranks.

    Where several ranks fail alike, the lowest prints and aborts the others before they print.  A
    rank that another rank is aborting prints nothing.
    """
    rank, size = comm.Get_rank(), comm.Get_size()
    # No message could order the ranks here: the others may be inside a collective.
    time.sleep(min(0.3 * rank, 2.0))
    if not (isinstance(comm, WarnsOfAbort) and comm.is_aborting()):
        print_error(f"rank {rank} of {size}: {message}" if size > 1 else message)
    if size > 1 and isinstance(comm, SupportsAbort):
        comm.Abort(code)


def print_error(message: str) -> None:
    """Print ``kavg: message`` to the real stderr, from any rank.

    ``sys.stderr`` is the null device on all ranks but rank 0.
    """
    stream = sys.__stderr__ or sys.stderr
    # A full disk or a closed pipe must not keep this rank from aborting the others.
    with suppress(OSError, ValueError):
        stream.write(f"kavg: {escape_lines(message)}\n")
        stream.flush()
