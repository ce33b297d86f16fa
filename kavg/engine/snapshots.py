"""States that a run keeps of itself, so that a round can be run again without all before it.

Which they are depends on the number of rounds alone: a run that is extended keeps what one keeps
that was that long from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from kavg.trajectory import State

MOST: Final = 16
BYTES: Final = 2**24
"""What all of them may take; a run of larger states keeps fewer, or none."""


def most_kept(R: int, d: int) -> int:
    """How many states of shape ``(R, d)``, ``w`` and ``v``, a run keeps at most.

    >>> most_kept(R=64, d=100), most_kept(R=1, d=10**5), most_kept(R=64, d=10**6)
    (16, 10, 0)
    """
    return min(MOST, BYTES // (16 * R * d))


@final
class Kept:
    """States after every ``stride``-th round: the least power of 2 that leaves at most ``most``.

    >>> import numpy as np
    >>> kept = Kept(most=3)
    >>> for n in range(1, 11):
    ...     kept.add(State(n, np.zeros((1, 1)), np.empty(0)))
    >>> [state.n for state in kept.states]
    [4, 8]
    """

    def __init__(self, most: int) -> None:
        self.most, self.stride = most, 1
        self.states: list[State] = []

    def add(self, state: State) -> None:
        """Keep a state that is due; those that are not any more are dropped.

        The start never is: it is known without.
        """
        while self.most and state.n // self.stride > self.most:
            self.stride *= 2
            self.states = [one for one in self.states if one.n % self.stride == 0]
        if self.most and state.n and state.n % self.stride == 0:
            self.states.append(state)


def latest_before(states: Sequence[State], n: int) -> State | None:
    """The state from which round n is reached soonest; None for the start."""
    return max((state for state in states if state.n < n), key=lambda one: one.n, default=None)
