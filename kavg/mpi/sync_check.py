"""Ranks that drift apart while they run are found: a hash of what all must share, now and then.

Every rank holds its own copy of ``w`` and ``v``.  Nothing in the algorithm can make copies differ,
so a difference is the machine's: memory, a processor, an MPI library whose sums differ from rank to
rank.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, final

import numpy as np

from kavg.base import Communicator, Floats
from kavg.errors import CollectiveError
from kavg.mpi.collective import spelled
from kavg.trajectory import Round, Trajectory

BYTES: Final = 8
FAILED: Final = 1
"""The exit code: the run failed, the input is not to blame."""


@final
class Agreement:
    """Compares the ranks of one algorithm's run after every ``every``-th round and at its end.

    Each comparison is one ``Allgather`` of 8 bytes a rank; one rank alone has nothing to compare.
    """

    def __init__(self, comm: Communicator, name: str, every: int) -> None:
        self.comm, self.name, self.every = comm, name, every
        self.agreed = 0
        """The last round after which all ranks were found to hold the same."""

    def after(self, done: Round) -> None:
        """Compare if it is time."""
        if done.n % self.every == 0:
            self.compare(done.n, lambda: fingerprint(done.n, done.w, done.v))

    def at_end(self, run: Trajectory) -> None:
        """Compare what the run left."""
        n = int(run.rounds[-1])
        self.compare(n, lambda: fingerprint(n, run.w, run.v, run.diverged_at))

    def compare(self, n: int, mine: Callable[[], bytes]) -> None:
        """Raise a collective error if ranks differ; ``mine`` gives this rank's hash."""
        if self.comm.Get_size() == 1:
            return
        everyone = np.empty((self.comm.Get_size(), BYTES), np.uint8)
        self.comm.Allgather(np.frombuffer(mine(), np.uint8), everyone)
        groups: dict[str, list[int]] = {}
        for rank, row in enumerate(everyone):
            groups.setdefault(row.tobytes().hex(), []).append(rank)
        if len(groups) > 1:
            raise CollectiveError(self.parted(n, groups), FAILED)
        self.agreed = n

    @property
    def before(self) -> str:
        """What the last comparison found."""
        return f"after round {self.agreed} all agreed" if self.agreed else "none compared before"

    def parted(self, n: int, groups: dict[str, list[int]]) -> str:
        """Who has what."""
        return "\n  ".join(
            [
                f"ranks hold different models after round {n} of {self.name}; {self.before}:",
                *(f"{spelled(ranks)}: w, v of hash {key}" for key, ranks in groups.items()),
                "nothing is written; a processor, memory or the MPI library is at fault: "
                "try mean = 'exact', other nodes, agree_every = 1",
            ]
        )


def fingerprint(n: int, w: Floats, v: Floats, diverged_at: int | None = None) -> bytes:
    """Eight bytes of the SHA-256 of the round and the bits of ``w`` and ``v``."""
    sha = hashlib.sha256(f"{n} {diverged_at}".encode())
    for array in (w, v):
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.digest()[:BYTES]
