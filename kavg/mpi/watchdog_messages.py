"""The messages that watchdogs exchange, and the error for ranks that keep others waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.engine.agreement import name_ranks

ADVICE: Final = "raise 'timeout' in the settings to wait longer"


@final
@dataclass(frozen=True)
class RankStatus:
    """The message of one watchdog to another.

    ``is_query`` is True if a reply is requested; ``is_waiting`` is True if the sender is inside a
    collective, False if it computes.
    """

    rank: int
    is_query: bool
    is_waiting: bool

    def encode(self) -> NDArray[np.int64]:
        """Return the status as three whole numbers, ``(3,)``."""
        return np.array([self.rank, self.is_query, self.is_waiting], np.int64)


def decode_status(numbers: NDArray[np.int64]) -> RankStatus:
    """Return the status that ``RankStatus.encode`` made these numbers of.

    >>> decode_status(RankStatus(2, True, False).encode())
    RankStatus(rank=2, is_query=True, is_waiting=False)
    """
    rank, is_query, is_waiting = numbers.tolist()
    return RankStatus(rank, bool(is_query), bool(is_waiting))


def explain_timeout(
    size: int, replies: Mapping[int, RankStatus], seconds: float, place: str
) -> str:
    """Explain which of ``size`` ranks kept the others waiting: silent ones and computing ones.

    >>> replies = {rank: RankStatus(rank, True, is_waiting=True) for rank in (0, 1)}
    >>> explain_timeout(3, replies, 20.0, "round 17 of M-AVG")
    'rank 2 has not responded for 20 s (round 17 of M-AVG); aborting'
    """
    silent = [rank for rank in range(size) if rank not in replies]
    computing = [rank for rank, status in sorted(replies.items()) if not status.is_waiting]
    causes, advice = [], ""
    if silent:
        verb = "have" if len(silent) > 1 else "has"
        causes.append(f"{name_ranks(silent)} {verb} not responded for {seconds:g} s")
    if computing:
        verb = "are" if len(computing) > 1 else "is"
        causes.append(
            f"{name_ranks(computing)} {verb} still computing; the others have waited {seconds:g} s"
        )
        advice = f"; {ADVICE}"
    if not causes:
        causes.append(f"all ranks have waited {seconds:g} s for one another")
    return f"{'; '.join(causes)} ({place}); aborting{advice}"
