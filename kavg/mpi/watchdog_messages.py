"""Who is missing where ranks wait for each other: what ranks tell, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from kavg.mpi.collective import spelled

LONGER: Final = "a larger 'timeout' in the settings waits longer"


@final
@dataclass(frozen=True)
class Word:
    """What a rank tells another: who it is, whether it asks, and whether it waits."""

    rank: int
    asks: bool
    waits: bool

    def encoded(self) -> NDArray[np.int64]:
        """Three whole numbers."""
        return np.array([self.rank, self.asks, self.waits], np.int64)


def decoded(numbers: NDArray[np.int64]) -> Word:
    """The word that was encoded.

    >>> decoded(Word(2, True, False).encoded())
    Word(rank=2, asks=True, waits=False)
    """
    rank, asks, waits = numbers.tolist()
    return Word(rank, bool(asks), bool(waits))


def who_is_missing(size: int, heard: Mapping[int, Word], seconds: float, place: str) -> str:
    """Why ``heard``, of ``size`` ranks, wait in vain.

    >>> here = {rank: Word(rank, True, waits=True) for rank in (0, 1)}
    >>> who_is_missing(3, here, 20.0, "in round 17 of M-AVG")
    'no word from rank 2 for 20 s in round 17 of M-AVG; ended'
    """
    silent = [rank for rank in range(size) if rank not in heard]
    busy = [rank for rank, word in sorted(heard.items()) if not word.waits]
    said = []
    if silent:
        said.append(f"no word from {spelled(silent)} for {seconds:g} s {place}")
    if busy:
        said.append(
            f"{spelled(busy)} still at work while others have waited {seconds:g} s {place} "
            f"({LONGER})"
        )
    if not said:
        said.append(f"all ranks have waited {seconds:g} s {place}, each for another")
    return "; ".join([*said, "ended"])
