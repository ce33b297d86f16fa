"""Snapshots: states of a run from which later rounds can be repeated without all before them.

Their rounds depend on the number of rounds alone, so a run that is extended has the same snapshots
as one that was that long from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from kavg.trajectory import State

MOST: Final = 16
"""Snapshots of a run at most."""
BYTES: Final = 2**24
"""Memory for all snapshots of a run; with larger states there are fewer, or none."""


def max_snapshots(R: int, d: int) -> int:
    """Return how many snapshots of ``w`` and ``v``, each ``(R, d)``, a run keeps at most.

    >>> max_snapshots(R=64, d=100), max_snapshots(R=1, d=10**5), max_snapshots(R=64, d=10**6)
    (16, 10, 0)
    """
    # w and v, 8 bytes a number.
    return min(MOST, BYTES // (16 * R * d))


@final
class Snapshots:
    """States after every ``stride``-th round: the least power of 2 that leaves at most ``most``.

    >>> import numpy as np
    >>> snapshots = Snapshots(most=3)
    >>> for n in range(1, 11):
    ...     snapshots.add(State(n, np.zeros((1, 1)), np.empty(0)))
    >>> [state.n for state in snapshots.states]
    [4, 8]
    """

    def __init__(self, most: int) -> None:
        self.most, self.stride = most, 1
        self.states: list[State] = []

    def add(self, state: State) -> None:
        """Add a state if its round is a multiple of the stride, and drop those that are not.

        The start (n = 0) is never added: it follows from the problem and the seed.
        """
        # Powers of 2 only: the states of a doubled stride are among those of the old one.
        while self.most and state.n // self.stride > self.most:
            self.stride *= 2
            self.states = [one for one in self.states if one.n % self.stride == 0]
        if self.most and state.n and state.n % self.stride == 0:
            # Not a copy: no later round writes to the arrays of a state.
            self.states.append(state)


def get_latest_state(states: Sequence[State], before: int) -> State | None:
    """Return the last state before a round; None if the round must be reached from the start."""
    earlier = (state for state in states if state.n < before)
    return max(earlier, key=lambda state: state.n, default=None)
