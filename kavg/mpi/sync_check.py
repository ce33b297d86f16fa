"""A periodic check that all ranks hold the same ``w`` and ``v``.

Every rank holds its own copy of ``w`` and ``v``.  Nothing in the algorithm can make the copies
differ, so a difference comes from the machine: from memory, from a processor, or from an MPI
library whose sums differ from rank to rank.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, final

import numpy as np

from kavg.base import Communicator, Floats
from kavg.engine.agreement import group_ranks, name_ranks
from kavg.errors import CollectiveError, RunFailed
from kavg.trajectory import Round, Trajectory

HASH_BYTES: Final = 8


@final
class SyncCheck:
    """Compares the ranks of one algorithm's run after every ``every``-th round and at its end.

    Each comparison is one ``Allgather`` of 8 bytes a rank; a single rank compares nothing.
    ``last_equal`` is the last round after which all ranks agreed, 0 before the first comparison.
    """

    def __init__(self, comm: Communicator, name: str, every: int) -> None:
        self.comm, self.name, self.every = comm, name, every
        self.last_equal = 0

    def after_round(self, done: Round) -> None:
        """Compare the ranks if the round is a multiple of ``every``.

        Raises ``CollectiveError`` on every rank if they differ, with the hash that each rank has.
        """
        if done.n % self.every == 0:
            self._compare(done.n, lambda: hash_state(done.n, done.w, done.v))

    def at_end(self, run: Trajectory) -> None:
        """Compare the ranks after the last round, and the round at which a replica diverged.

        Raises ``CollectiveError`` on every rank if they differ.
        """
        n = int(run.rounds[-1])
        self._compare(n, lambda: hash_state(n, run.w, run.v, run.diverged_at))

    def _compare(self, n: int, hash_own: Callable[[], bytes]) -> None:
        if self.comm.Get_size() == 1:
            return
        groups = group_ranks(self.comm, hash_own())
        if len(groups) > 1:
            raise CollectiveError(self._explain(n, groups), RunFailed.code)
        self.last_equal = n

    def _explain(self, n: int, groups: dict[bytes, list[int]]) -> str:
        last = f"equal after round {self.last_equal}" if self.last_equal else "not compared before"
        return "\n  ".join(
            [
                f"ranks hold different models after round {n} of {self.name} ({last}):",
                *(f"{name_ranks(ranks)}: w, v of hash {h.hex()}" for h, ranks in groups.items()),
                "nothing is written; the cause is a processor, memory or the MPI library: "
                "try mean = 'exact', other nodes, agree_every = 1",
            ]
        )


def hash_state(n: int, w: Floats, v: Floats, diverged_at: int | None = None) -> bytes:
    """Return the first 8 bytes of the SHA-256 of a state: the round and the bits of its arrays.

    ``w (R, d)`` and ``v`` of the same shape or ``(0,)``.  Two different states have the same hash
    with a probability of ``2^-64``.
    """
    sha = hashlib.sha256(f"{n} {diverged_at}".encode())
    for array in (w, v):
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.digest()[:HASH_BYTES]
